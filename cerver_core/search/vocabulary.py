"""English words that need no search, irregular forms and near synonyms, as data; holds no rule."""

from collections.abc import Mapping

__all__ = ["DECIDING", "DOING", "IRREGULAR", "KIN", "NUMERALS", "STOP_WORDS", "WEAK_WORDS"]

_STOP = """
    a about after again all also although am among an and any anyone anything are aren as at be became because
    become been before being between both but by can cannot could couldn did didn do does doesn doing don done each
    either else ever every everyone everything few for from further get gets getting give given gives giving go got
    had hadn has hasn have haven having he her here hers herself him himself his how however i if in into is isn it
    its itself just know let lets like ll made make makes many may me might mine more most much must my myself no
    nor not now of off often oh ok okay on once one only onto or other others our ours ourselves out over own per
    please quite rather re really s said same say says shall she should shouldn so some someone something soon still
    such t tell tells than that the their theirs them themselves then there these they thing things this those
    though through thus to too under until up upon us ve very via was wasn way we well were weren what whatever when
    where whether which while who whom whose why will with within without won would wouldn yes yet you your yours
    yourself yourselves
"""

STOP_WORDS = frozenset(_STOP.split())

_WEAK = """
    kind kinds type types sort sorts number times time happen happened happens mention mentioned
    discuss discussed talk talked talking conversation conversations chat chats session sessions previous previously
    earlier remind remember recall currently current recently recent different exactly total specific new old first last
    going goes went gone come comes came coming take takes took taken taking put puts putting use uses used using
    want wants wanted need needs needed try tries tried trying look looks looked looking think thinks thought find
    finds found see sees saw seen keep keeps kept keeping bring brings brought turn turned ask asks asked asking call
    called seem seems feel feels felt done back down away along around together way ways lot bit good great nice much
    long since against upcoming according based anything like likes liked
"""

WEAK_WORDS = frozenset(_WEAK.split())
"""Words with which one asks rather than tells, and such as say little by themselves: they count, and for little."""


_DONE = """
    work works worked working do done happen happens happened happening going went
    talk talks talked talking discuss discusses discussed discussing speak spoke spoken chat chats chatted
    conversation conversations session sessions remember recall remind
"""

DOING = frozenset(_DONE.split())
"""Words with which one asks what was done at a time ("what did I work on yesterday"): the time tells, and not they."""

_DECIDED = """
    decide decides decided deciding decision decisions agree agreed choose chose chosen
"""

DECIDING = frozenset(_DECIDED.split())
"""Words with which one asks what was decided."""


_NUMERALS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_BY_WORD = {word: str(number) for number, word in enumerate(_NUMERALS.split())} | {"twenty": "20", "thirty": "30"}
NUMERALS = _BY_WORD | {number: word for word, number in _BY_WORD.items()}
"""The figure for each small number in words, and the word for each small figure."""


def _forms(table: str) -> Mapping[str, tuple[str, ...]]:
    rows = (row.split() for row in table.split(";") if row.strip())
    return {first: tuple(rest) for first, *rest in rows}


def _groups(table: str) -> Mapping[str, tuple[str, ...]]:
    kin: dict[str, list[str]] = {}
    for row in table.split(";"):
        members = row.split()
        for word in members:
            kin.setdefault(word, []).extend(other for other in members if other != word)
    return {word: tuple(dict.fromkeys(others)) for word, others in kin.items()}


IRREGULAR = _forms("""
    be was were been; bear bore borne; beat beaten; begin began begun; bend bent; bite bit bitten; bleed bled;
    blow blew blown; break broke broken; bring brought; build built; burn burnt; buy bought; catch caught;
    choose chose chosen; come came; cost costs; creep crept; deal dealt; dig dug; draw drew drawn; dream dreamt;
    drink drank drunk; drive drove driven; eat ate eaten; fall fell fallen; feed fed; feel felt; fight fought;
    find found; flee fled; fly flew flown; forbid forbade; forget forgot forgotten; forgive forgave forgiven;
    freeze froze frozen; give gave given; go went gone goes; grow grew grown; hang hung; hear heard;
    hide hid hidden; hold held; keep kept; know knew known; lay laid; lead led; learn learnt; leave left; lend lent;
    lose lost; make made; mean meant; meet met; pay paid; ride rode ridden; ring rang rung; rise rose risen;
    run ran; say said; see saw seen; seek sought; sell sold; send sent; sew sewn; shake shook shaken; shine shone;
    shoot shot; show shown; shrink shrank shrunk; sing sang sung; sink sank sunk; sit sat; sleep slept; slide slid;
    smell smelt; speak spoke spoken; speed sped; spend spent; spin spun; spring sprang sprung; stand stood;
    steal stole stolen; stick stuck; strike struck; swear swore sworn; sweep swept; swim swam swum; swing swung;
    take took taken; teach taught; tear tore torn; tell told; think thought; throw threw thrown;
    understand understood; wake woke woken; wear wore worn; win won; write wrote written; man men; woman women;
    child children; person people; foot feet; tooth teeth; mouse mice; goose geese; life lives; wife wives;
    knife knives; leaf leaves; half halves; shelf shelves; analysis analyses; crisis crises; index indices indexes;
    matrix matrices; good better best; bad worse worst; far further farther; datum data; schema schemas schemata;
    query queries
""")
"""The forms that no rule gives, by the word they are forms of."""

KIN = _groups("""
    kid child son daughter toddler baby; mom mother mum; dad father; parent mom dad mother father; brother sibling;
    sister sibling; husband spouse partner; wife spouse partner; boyfriend partner; girlfriend partner;
    grandma grandmother granny; grandpa grandfather; relative family cousin aunt uncle; family relative parent;
    friend buddy pal; pet dog cat puppy kitten; dog puppy pup; cat kitten; animal pet wildlife; bird parrot;
    job work career occupation profession position role; employer company boss; coworker colleague teammate;
    work job shift office; company firm startup employer; boss manager supervisor; hire recruit; fire layoff laid;
    retire retirement; interview applicant; salary pay wage income; promote promotion raise;
    buy purchase order shop; purchase buy order; sell sale; shop store mall boutique; price cost expense;
    cheap discount sale; pay spend cost; money cash fund dollar budget; gift present; present gift;
    donate donation charity; house home apartment flat; home house apartment place; apartment flat;
    move relocate moving; relocate move; rent lease; room bedroom kitchen; furniture couch sofa chair table;
    neighbor neighbour; garden yard backyard plant; live reside stay; city town; country nation abroad overseas;
    origin from grew native; hometown city; trip travel vacation holiday journey getaway tour;
    travel trip fly visit journey; vacation holiday trip getaway; visit trip went see; flight plane airport airline;
    hotel hostel airbnb stay lodging; hike hiking trail trek walk; camp camping tent campfire;
    beach ocean sea coast shore; mountain peak hill; lake river; park trail; car vehicle drive automobile truck;
    bike bicycle cycle cycling; commute drive bus train; road drive; eat meal dinner lunch food dish;
    meal dinner lunch breakfast food; food dish meal cuisine; cook bake recipe; recipe cook dish bake;
    bake cake cookie bread oven; drink coffee tea beverage; restaurant cafe diner eatery; dessert cake sweet;
    vegetarian vegan; diet eating nutrition; snack food; read book novel; book novel read author;
    author writer book; write wrote journal blog; story tale novel; movie film; film movie; watch movie show series;
    show series tv; song music track; music song band concert melody; concert gig show festival band;
    instrument guitar piano violin drum; sing song choir vocal; dance dancing ballet; paint painting art canvas;
    art painting drawing artwork sculpture craft; draw sketch drawing; photo picture photograph;
    picture photo image; craft pottery handmade; pottery clay ceramic; hobby pastime interest activity;
    activity hobby pastime event; interest hobby passion; passion love interest; game gaming play; play game;
    sport game team; team squad; exercise workout gym fitness; workout exercise gym training; gym workout fitness;
    run running jog marathon race; race marathon run; swim swimming pool; yoga meditation pilates;
    ball basketball soccer football; win won victory prize award; award prize medal trophy; lose lost;
    competition contest tournament; match game; doctor physician medical clinic; hospital clinic surgery;
    sick ill illness disease flu; illness disease condition sick; hurt injury injured pain; injury hurt injured;
    medicine medication pill drug; therapy counseling therapist; therapist counselor counseling;
    stress anxiety stressed; health medical wellness; allergy allergic; sleep insomnia rest;
    calm relax relaxing peaceful; relax unwind calm; happy glad joy excited; sad upset down; angry mad;
    scared afraid fear; fear afraid scared; proud pride; support help encourage; help support assist aid;
    volunteer volunteering charity; charity nonprofit donate fundraiser; event festival gathering party;
    party celebration birthday; celebrate celebration party; birthday party; wedding marry married marriage engaged;
    marry wedding married marriage; divorce separated breakup; date dating relationship;
    relationship dating partner; single breakup dating; pregnant pregnancy baby; adopt adoption;
    school college university class; university college campus; college university degree; class course lesson;
    course class lesson; study learn degree major research; learn study lesson; teacher professor instructor;
    student pupil; degree major diploma graduate; graduate graduation degree; education degree school study;
    exam test quiz; church faith religious religion; faith belief religion; group community club;
    community group club; meet met meeting; speech talk presentation; talk speak conversation discuss;
    discuss talk conversation; speak talk; say tell mention; mention say tell talk; advice suggest recommend tip;
    recommend suggest advice recommendation; suggest recommend propose; plan intend going planning;
    goal dream aim plan target; decide decision chose choose settled agreed; choose pick select decide;
    pick choose select; decision decide settled chose; agree agreed decision; idea thought concept;
    think opinion thought; opinion think view; reason because why cause; cause reason due; start begin launch;
    begin start; launch start release open; open launch start; finish complete end done; end finish stop;
    stop quit end; quit stop leave; leave quit left; change switch alter; switch change migrate swap;
    replace swap switch; keep retain stay; create make build; build make construct create; make create build;
    fix repair mend solve; repair fix; break broke damage; damage broken; problem issue trouble challenge;
    issue problem bug; challenge difficult struggle problem; difficult hard tough; hard difficult tough;
    struggle difficult challenge; easy simple; big large huge; small little tiny; new recent latest;
    old former previous; favorite favourite best love; prefer favorite rather like; love enjoy like;
    enjoy love like fun; like love enjoy; inspire motivate inspiration; motivate inspire motivation;
    remind memory reminder; remember recall memory; forget forgot; name called named; call phone named;
    phone call mobile cell; message text email; email mail message; nickname name called; color colour;
    colour color; grey gray; gray grey; age old years birthday; year annual; month monthly; week weekly; day daily;
    morning am; evening night; weekend saturday sunday; summer july august june; winter december january february;
    weather rain snow sunny; symbol symbolize represent meaning; meaning symbolize represent mean;
    necklace jewelry pendant; clothes outfit dress shirt shoes; dress outfit; shoes sneakers boots; watch clock;
    hair haircut hairstyle; tattoo ink; lgbtq gay queer transgender lesbian; transgender trans transition;
    identity gender self; gender identity; pride parade lgbtq; war military army veteran;
    military army veteran navy; government politics political; politics political election; law legal lawyer;
    lawyer attorney legal; crime theft stolen robbery; steal stolen theft; accident crash; crash accident;
    police officer; emergency urgent; computer laptop pc; laptop computer; device gadget; app application;
    application app; website site page; internet online web; video clip youtube; bug error defect issue;
    error exception failure failed bug; failure error failed crash; crash failure segfault;
    exception error traceback; fail error failure broke; slow latency performance timeout;
    performance speed latency fast slow; latency slow delay; timeout slow deadline; fast quick speed;
    database db postgres sqlite sql; db database; table schema; migration migrate upgrade;
    upgrade update bump version; update upgrade change; deploy release ship rollout; release deploy version ship;
    rollout deploy release; rollback revert undo; revert rollback undo; config configuration setting;
    configuration config setting; setting config option; option setting choice flag; flag option switch;
    delete remove drop; remove delete drop; add include insert; install setup; setup install configure;
    dependency package library; library package dependency; package library dependency; repo repository;
    repository repo; branch git; commit git; merge conflict; test tests pytest spec; auth authentication login;
    authentication auth login; login auth signin; password credential secret; credential secret key password token;
    secret credential key token; token key credential; key token secret; endpoint api route; api endpoint;
    server backend host; backend server; frontend ui client; ui interface frontend; cache caching redis;
    queue worker job; retry backoff; lock deadlock mutex; concurrency race thread parallel; memory ram leak;
    disk storage; storage disk bucket; cloud aws gcp azure; container docker image; docker container;
    kubernetes k8s cluster; monitor monitoring alert metric; alert alarm monitoring; log logging logs;
    document docs documentation; docs documentation readme; function method; limit quota cap; quota limit;
    schedule cron calendar; appointment schedule visit; deadline due; meeting call sync; customer client user
""")
"""Words that often stand for one another, by word. Everyday talk first, then talk about software."""
