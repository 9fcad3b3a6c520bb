"""Words for kinds of things, with words for things of that kind, as data: who asks for one often means the other."""

from collections.abc import Mapping

__all__ = ["KINDS"]


def _by_word(table: str) -> Mapping[str, tuple[str, ...]]:
    """Read rows of "names of a kind: things"; a name leads to the things, and a thing to the names."""
    found: dict[str, list[str]] = {}
    for row in table.split(";"):
        names, _, things = (part.split() for part in row.partition(":"))
        for name in names:
            found.setdefault(name, []).extend(things)
        for thing in things:
            found.setdefault(thing, []).extend(names)
    return {word: tuple(dict.fromkeys(others)) for word, others in found.items()}


KINDS = _by_word("""
    pet animal: dog cat puppy kitten hamster rabbit bunny fish parrot turtle tortoise lizard snake guinea horse
    goldfish; breed dog: retriever beagle poodle terrier labrador shepherd bulldog collie dachshund husky spaniel
    corgi pug puppy chihuahua mutt; breed cat: siamese tabby persian bengal kitten calico; fish aquarium: tank betta
    goldfish guppy tetra koi gallon salmon trout tuna cod; bird: parrot sparrow finch robin eagle owl hawk crow duck
    goose chicken cockatiel parakeet; relative family: mother father sister brother aunt uncle cousin niece nephew
    grandmother grandfather grandma grandpa daughter son husband wife mom dad sibling parent child godfather
    godmother; sibling: sister brother twin; parent: mother father mom dad mum; grandparent: grandma grandpa
    grandmother grandfather; kid child: daughter son toddler baby boy girl twin newborn infant; partner spouse:
    husband wife girlfriend boyfriend fiance fiancee; friend: roommate flatmate neighbor neighbour colleague
    coworker classmate buddy mate; job occupation profession career position role: teacher nurse engineer manager
    designer developer lawyer accountant chef writer editor analyst consultant architect scientist researcher
    librarian carpenter plumber electrician assistant director coordinator specialist salesperson translator pilot
    baker photographer journalist officer intern freelancer promotion; doctor physician specialist: dermatologist
    cardiologist dentist surgeon pediatrician therapist psychiatrist neurologist orthopedist ophthalmologist
    optometrist oncologist gynecologist ent dr physiotherapist vet veterinarian clinic checkup; illness disease
    condition health: flu cold diabetes asthma allergy cancer migraine headache arthritis sinusitis anxiety
    depression infection fever insomnia hypertension pneumonia bronchitis covid rash eczema diagnosis diagnosed
    intolerance intolerant; injury accident: sprain fracture broken torn tore ligament bruise burn concussion crash
    collision ankle wrist knee; surgery operation: surgeon hospital surgery procedure transplant removed; medicine
    medication drug: pill tablet antibiotic ibuprofen aspirin painkiller cream ointment prescription inhaler vaccine
    supplement vitamin dose; vaccination vaccine: shot dose booster jab; skin: dermatologist rash acne eczema mole
    sunscreen; eye vision: glasses ophthalmologist optometrist lenses; teeth tooth: dentist cavity braces crown;
    instrument: guitar piano violin cello drums flute clarinet saxophone trumpet ukulele banjo harp keyboard
    harmonica bass accordion trombone; music song: album playlist concert band singer lyrics spotify chord melody
    tune; genre: rock jazz pop blues folk classical indie metal country thriller fantasy romance mystery; streaming
    service platform: netflix spotify hulu disney hbo youtube prime kindle audible; musician artist singer: band
    guitarist pianist rapper duo drummer album painter sculptor; concert show gig: band festival arena stadium venue
    tickets live tour; movie film: theater cinema netflix thriller documentary director actor comedy sequel; sport:
    soccer football basketball tennis volleyball baseball hockey golf swimming running cycling rowing climbing
    badminton fencing archery skiing snowboarding surfing boxing rugby cricket karate judo wrestling; exercise
    workout fitness training: gym yoga pilates running jogging swimming cycling weights squats cardio hiking zumba
    crossfit laps treadmill jog walk; race competition: marathon 5k 10k triathlon sprint tournament half medal
    championship finish; game: chess poker scrabble monopoly puzzle xbox playstation nintendo zelda switch; hobby
    interest activity pastime: painting gardening knitting reading photography hiking cooking baking pottery
    woodworking birdwatching crochet sewing chess fishing dancing drawing scrapbooking origami; craft: knitting
    crochet sewing pottery quilt embroidery woodworking ceramics blanket scarf mug vase; art artwork: painting
    sculpture drawing sketch mural portrait canvas watercolor gallery exhibit exhibition print; vehicle car
    transport: truck van suv sedan toyota honda ford tesla bmw motorcycle scooter bicycle bus train subway corolla
    civic; bike bicycle: cycling mountain commuter helmet pedals gears; transportation commute: train bus subway
    drive driving bike carpool taxi uber; boat ship: ferry cruise yacht kayak canoe sailing seasick sail; trip
    vacation holiday travel journey: flight hotel cruise beach hiking itinerary backpacking airbnb resort tour
    abroad getaway camping honeymoon passport luggage suitcase; country: france italy spain germany portugal greece
    japan china india mexico canada brazil england ireland scotland thailand vietnam australia egypt turkey sweden
    norway switzerland austria; city town: paris london rome tokyo berlin madrid barcelona chicago boston seattle
    austin denver miami toronto vancouver sydney kyoto lisbon amsterdam vienna prague; continent europe: france
    italy spain germany portugal greece; asia: japan china india thailand vietnam korea; accommodation lodging
    hotel: hostel airbnb resort suite motel cabin inn room lodge hut; museum: exhibit gallery exhibition collection
    moma louvre; island: hawaii maui bali santorini bahamas; outdoors nature: hike camping trail lake forest
    mountain park waterfall; furniture: sofa couch chair table desk bed bookshelf bookcase dresser shelf mattress
    nightstand cabinet wardrobe ottoman stool bench; shelf bookshelf: bookcase shelves shelving; couch: sofa
    loveseat; appliance kitchen gadget: fridge refrigerator oven stove microwave dishwasher blender toaster mixer
    fryer kettle grill juicer vacuum washer dryer pot coffee; pan cookware: skillet wok pot iron cast frying; home
    house apartment: condo studio flat townhouse bedroom mortgage landlord lease rent moved tenant; room: bedroom
    kitchen bathroom basement attic garage office hallway study nursery; cellar: basement; corridor: hallway hall;
    lawn garden yard: mower tomatoes flowers roses herbs seeds compost plants shed vegetable; plant flower: rose
    tulip orchid fern succulent cactus basil lily sunflower peony lavender pothos tomato herb snake; vegetable
    harvest: tomato carrot potato onion pepper cucumber lettuce spinach kale zucchini broccoli basil; fruit: apple
    banana orange strawberry blueberry mango peach pear grape lemon cherry; food meal dish recipe: pasta pizza curry
    soup salad sandwich rice chicken steak sushi tacos lasagna stew noodles burger ramen dumplings casserole paella
    quinoa salmon; bread: sourdough loaf baguette starter flour rye; dumpling: pierogi gyoza ravioli; dessert treat:
    cake pie cookie ice cream brownie chocolate pudding tart cupcake dairy lactose sugar vegan; cuisine: italian
    mexican thai indian chinese japanese korean french greek ethiopian vietnamese; breakfast: eggs pancakes oatmeal
    cereal toast smoothie; drink beverage: coffee tea wine beer cocktail juice smoothie soda latte gin whiskey water
    lemonade; diet: vegan vegetarian keto gluten dairy lactose paleo calories carbs allergic intolerant; restaurant
    cafe: diner bistro pizzeria menu reservation brunch steakhouse; jam: preserve jar marmalade; degree education
    university study: bachelor master phd major graduate graduated college diploma thesis biology psychology
    engineering business history economics administration computer; school: teacher class grade homework
    kindergarten semester exam student; course class lesson: workshop tutorial training seminar certificate lecture
    webinar bootcamp; teacher: mr mrs professor instructor coach tutor lessons; language: spanish french german
    italian japanese mandarin chinese korean portuguese russian arabic duolingo; book novel: author chapter
    paperback kindle memoir thriller audiobook sequel series fiction library read; magazine subscription: newspaper
    issue geographic economist yorker times; poem verse: poet poetry stanza; writer author: novelist poet wrote
    book; phone smartphone: iphone pixel samsung galaxy android nokia; computer laptop notebook: macbook thinkpad
    dell pc desktop lenovo raspberry chromebook; screen display: monitor tv television inch; camera: canon nikon
    sony lens dslr gopro; device gadget electronics: phone tablet laptop headphones smartwatch fitbit kindle ipad
    airpods charger earbuds speaker tv; software app: windows linux mac android photoshop excel word slack zoom
    notion plex fedora ubuntu; operating system os: windows linux macos ubuntu fedora android ios debian; internet
    connection network: wifi mbps router broadband fiber modem bandwidth; programming language: python javascript
    java rust go ruby typescript kotlin swift; editor ide: vscode vim emacs pycharm; database: postgres mysql sqlite
    mongo redis; cloud: aws azure gcp; online meeting: zoom teams video call; clothes clothing outfit: dress shirt
    shoes jacket jeans sweater coat boots sneakers skirt suit scarf hat blouse; jewelry: necklace ring bracelet
    earrings watch pendant; shoe footwear: sneakers boots sandals heels nike adidas; color colour: red blue green
    yellow purple orange pink gray grey white black brown teal navy beige turquoise shade; gift present: necklace
    book bouquet voucher card blanket scarf bracelet gave bought; celebration party event: birthday wedding
    anniversary graduation shower reunion housewarming engagement guests surprise ceremony; birthday: turned turning
    cake party; wedding ceremony: vows bride groom bridesmaid vineyard reception married engaged; holiday: christmas
    thanksgiving easter halloween hanukkah diwali; religion church religious: mass service christian jewish muslim
    buddhist temple mosque synagogue prayer bible episcopal catholic; charity cause: fundraiser donation volunteer
    shelter nonprofit raised hospital; store shop supermarket grocery: target walmart costco ikea amazon mall market
    trader aldi kroger safeway; discount: coupon sale voucher cashback redeemed bargain; money amount price: dollars
    euros bucks pounds cost paid fee bill salary budget savings; earn income: sold made revenue profit salary wage
    paid; spend cost: bought paid purchase bill; loan lender: mortgage bank credit union debt; insurance: policy
    premium coverage claim; save savings: fund deposit account retirement invest; investment: stock bond crypto
    bitcoin etf fund; vote politics: election candidate senator mayor campaign; pool swim: laps lap lane swimming;
    beach: ocean surf sand shore coast; weather: rain snow storm sunny thunderstorm wind hurricane; repair fix:
    plumber electrician mechanic handyman leak replaced; tool: drill hammer saw wrench screwdriver; neighborhood
    area street address: avenue road lane downtown suburb moved; distance: miles kilometers km meters; duration:
    minutes hours days weeks months years; weight: pounds kg lbs kilos; age old: years turned birthday born; smell:
    scent candle perfume lavender; pregnancy pregnant: baby due trimester shower newborn; award prize: medal trophy
    certificate winner won scholarship; club group: meetup book members league community choir
""")
"""The words of a kind by the kind's name, and the names by the word."""
