"""What somebody asks an assistant over a year and what it answers, sentence by sentence, and asides of theirs; data."""

__all__ = ["ASIDES", "PLACES", "TALK"]

PLACES = ("Ghent", "Tucson", "Malmö", "Halifax", "Bristol", "Osaka", "Valencia", "Duluth", "Leipzig", "Cork")

TALK = {
    "bicycles": (
        (
            "My gears keep skipping when I pedal uphill, any idea what to check?",
            "Can you walk me through truing a wheel without a stand?",
            "Which tyre width would you choose for gravel and the odd commute?",
            "How often does a chain really need to be replaced?",
        ),
        (
            "Begin with the barrel adjuster on the rear derailleur and give it half a turn at a time.",
            "A worn chain stretches by about one percent over three thousand kilometres, and then eats the cassette.",
            "Brake pads can serve as a gauge: watch the gap as the rim passes and tighten the nearest spoke.",
            "Tyres of forty millimetres roll surprisingly well on tarmac and forgive potholes.",
            "Lubricate after each wet ride, wipe off what is left, and never use household oil.",
            "If the hanger is bent no amount of adjustment will help, so ask a shop to align it first.",
            "A torque wrench is worth it as soon as you own carbon parts.",
        ),
    ),
    "scripts": (
        (
            "I have a folder with thousands of invoices as PDF; how would I rename them by date with a script?",
            "Why does my loop overwrite the same row in the spreadsheet?",
            "What is the difference between a thread and a process, in plain words?",
            "Could you review this regular expression for phone numbers?",
        ),
        (
            "Read the text of each page, look for a date with a pattern, and fall back on the file's own timestamp.",
            "Make a dry run first that only prints the old and the new name, so nothing is lost.",
            "The variable is created outside of the loop, so every iteration points to the same list.",
            "Threads share memory and are cheap; processes are separated and can use every core.",
            "Anchors at both ends keep the expression from matching half of a longer number.",
            "Put the credentials in environment variables and leave them out of version control.",
            "A virtual environment for each project saves you from conflicts later on.",
            "Tests that cover the odd inputs, like an empty file, pay for themselves within a week.",
        ),
    ),
    "astronomy": (
        (
            "What can I see with a small telescope from a balcony in {place}?",
            "Explain to my eight-year-old why the moon has phases.",
            "When is the next meteor shower worth staying up for?",
            "Is a Dobsonian a sensible first instrument?",
        ),
        (
            "Saturn's rings appear from a magnification of about fifty, even under city lights.",
            "Hold an orange in front of a lamp and walk around it: the lit part changes just as the moon's does.",
            "The Perseids peak around the twelfth of August and the Geminids in the middle of December.",
            "A Dobsonian gives the most aperture for the money, though it is bulky to carry.",
            "Let the mirror cool for half an hour, otherwise the image swims.",
            "A red torch keeps your eyes adapted to the dark.",
            "Star atlases and free planetarium programs show what is above the horizon at any hour.",
        ),
    ),
    "paperwork": (
        (
            "Which documents do I need to declare income from freelance jobs?",
            "Could you draft a letter that disputes a parking fine?",
            "How long should I hold on to bank statements?",
            "What counts as a deductible home office?",
        ),
        (
            "Collect the invoices you sent, receipts of what you spent, and the annual statement of your bank.",
            "A letter of dispute states the reference number, what happened, the evidence, and what you ask for.",
            "Seven years is a cautious rule for statements, and contracts belong in a folder for good.",
            "The room has to be used for work alone, and the share is computed from its surface.",
            "Send it by registered post and keep the slip.",
            "Quarterly advance payments avoid a nasty surprise in spring.",
            "This is general information; an accountant will know the rules of your region.",
        ),
    ),
    "kitchen": (
        (
            "What can I prepare on Sunday that still tastes good on Thursday?",
            "My hollandaise splits every time. Why?",
            "Suggest a menu for a dinner where one guest avoids gluten.",
            "How do I sharpen a knife on a whetstone?",
        ),
        (
            "Stews, grain salads and braised beans improve after a day or two in the refrigerator.",
            "The emulsion breaks when the butter is too hot or added too fast; a spoon of warm water rescues it.",
            "Polenta with mushrooms, a green salad and poached pears are all naturally free of gluten.",
            "Keep an angle of fifteen degrees, alternate sides, and finish on the finer grit.",
            "Freeze portions flat in bags, they thaw in minutes.",
            "Salt the vegetables before roasting and give them room on the tray.",
            "Taste with a clean spoon, then decide between acid and salt.",
            "A thermometer takes the guesswork out of meat.",
        ),
    ),
    "language": (
        (
            "Give me ten sentences to practise the Spanish subjunctive.",
            "How do I remember the gender of German nouns?",
            "Could you correct this short paragraph that I wrote in French?",
            "What is a good routine to learn vocabulary?",
        ),
        (
            "The subjunctive follows verbs of wish, doubt and emotion, as in espero que vengas mañana.",
            "Endings help: words in -ung, -heit and -keit are feminine, and those in -chen neuter.",
            "Spaced repetition with fifteen new cards a day is sustainable for most adults.",
            "Write the sentence from memory, compare, and say it aloud.",
            "Watch a series with subtitles in the language itself rather than in your own.",
            "The adjective agrees with the noun, so it should be petites here.",
            "A tandem partner for half an hour a week keeps you honest.",
        ),
    ),
    "careers": (
        (
            "Please polish this summary for my CV, it sounds flat.",
            "How do I answer when they ask about my biggest weakness?",
            "What should I bring up in the yearly review with my supervisor?",
            "Is it rude to counter an offer?",
        ),
        (
            "Lead with a result and a figure, then name the skill that produced it.",
            "Choose a real weakness that you are working on, and tell what you changed.",
            "List three achievements, one thing you learnt, and what you want to take on next.",
            "A counter-offer is expected; mention the market range and stay friendly.",
            "Recruiters spend seconds on a page, so white space matters.",
            "Follow up within two days with a short note of thanks.",
            "Ask how success will be judged in the first six months.",
        ),
    ),
    "houseplants": (
        (
            "The leaves of my calathea are curling, what is wrong?",
            "How can I propagate a monstera?",
            "Which herbs survive on a window sill facing north?",
        ),
        (
            "Curling points to dry air or hard water; group the pots and use rain water.",
            "Cut below a node with an aerial root and put it in water until new roots are as long as a finger.",
            "Mint, chives and parsley cope with little light, basil does not.",
            "Fungus gnats vanish when the top layer of soil dries out between waterings.",
            "Repot in spring, one size larger, never two.",
            "Yellow lower leaves are usually old age and no reason to worry.",
        ),
    ),
    "stories": (
        (
            "Write a short poem about a lighthouse keeper who is afraid of the dark.",
            "I need a villain for our role-playing campaign; give me three ideas.",
            "Could you continue this bedtime story about a badger?",
            "What makes dialogue sound natural?",
        ),
        (
            "The keeper counted every beam, and trusted none of them till dawn.",
            "A cartographer who erases villages from maps, and then from the world, makes a quiet villain.",
            "The badger packed a lantern, two pears and a map of everything he had never seen.",
            "People interrupt, evade and repeat themselves; cut the greetings and let them want something.",
            "Give the antagonist a reason that a good person could share.",
            "Read it aloud and strike whatever makes you stumble.",
            "End the chapter on a decision rather than on an explosion.",
        ),
    ),
    "history": (
        (
            "Why did the Hanseatic League decline?",
            "Can you summarise the causes of the Thirty Years' War?",
            "What did ordinary people eat in ancient Rome?",
        ),
        (
            "Territorial states grew stronger, the herring moved, and trade turned to the Atlantic.",
            "Religious division, the Habsburgs' ambitions and the weakness of the Empire's institutions came together.",
            "Bread, porridge, olives, figs and cheap wine mixed with water filled most stomachs.",
            "Historians still argue about how much weight the climate deserves.",
            "Letters and account books tell more about daily life than the chronicles.",
            "Tolls along the rivers made everything dearer.",
        ),
    ),
    "children": (
        (
            "What experiment could we show at the school's science fair?",
            "How do I limit screen hours without a fight every evening?",
            "Ideas for a rainy afternoon with twins of five?",
        ),
        (
            "Red cabbage makes an indicator that turns pink in vinegar and green in soda.",
            "Agree on the rule together, write it down, and let a timer be the one who says stop.",
            "Build a den out of blankets, bake play dough, or start a treasure hunt with drawn clues.",
            "Praise the effort rather than the outcome.",
            "A fixed ritual before bed is worth more than an argument.",
            "Let them fail at small things while it is cheap.",
        ),
    ),
    "cars": (
        (
            "There is a warning lamp shaped like an engine, can I still drive?",
            "How do I compare a lease with buying a used estate?",
            "What belongs into an emergency kit in winter?",
        ),
        (
            "A steady lamp means have it checked soon; a flashing one means stop.",
            "Add up depreciation, interest, insurance, service and tyres over the whole period.",
            "A scraper, a blanket, jump leads, a shovel and sand cover most situations.",
            "Ask for the service book and look at the tread on all four corners.",
            "Cold batteries fail without notice after five years.",
            "Have the brake fluid exchanged every second year.",
        ),
    ),
    "photography": (
        (
            "How can I photograph birds in flight with a cheap lens?",
            "What is back-button focus good for?",
            "Which editing steps do you recommend for portraits?",
        ),
        (
            "Set the shutter to a two-thousandth, focus continuously, and pan smoothly from the hips.",
            "Separating focus from the shutter lets you recompose without hunting.",
            "Correct the white balance first, then exposure, then skin, and leave the eyes alone.",
            "Light from a window with a white sheet opposite is as good as a studio.",
            "Shoot raw, because shadows can be lifted afterwards.",
            "Walk around the subject before you raise the camera.",
        ),
    ),
    "sleep and stress": (
        (
            "My mind races at night; is there an exercise for that?",
            "How do I say no to extra duties politely?",
            "Could a weighted blanket be of any use?",
        ),
        (
            "Breathe in for four counts, hold for seven, breathe out for eight, and repeat four times.",
            "Thank them, decline in one sentence, and offer an alternative if there is one.",
            "Some studies report less anxiety with a weighted blanket; ten percent of your body weight is usual.",
            "Write tomorrow's list before dinner so that your head need not keep it.",
            "Daylight within an hour of waking anchors the rhythm.",
            "Speak to a professional if it lasts longer than a few weeks.",
        ),
    ),
}
"""By subject: what is asked, and sentences of answers."""

ASIDES = (
    "My brother in law keeps borrowing the ladder.",
    "I spilled tea over the keyboard this morning, so forgive the typos.",
    "The tram was late again and I read half a chapter.",
    "I've got about twenty minutes before the next call.",
    "It has been raining in {place} since Monday.",
    "My flatmate thinks I worry too much about this.",
    "I tried it last month with mixed results.",
    "We had friends from {place} over on the weekend.",
    "The neighbours are renovating, the noise is unbearable.",
    "I took a day off, for once.",
    "I saw a fox near the bins yesterday.",
    "My budget for this is about eighty euros.",
    "Somebody at the gym swears by it.",
    "I'm writing this from a café near the station.",
    "Our printer died, so please keep it short.",
    "I used to do this with my father, years ago.",
    "My phone is at four percent.",
    "I promised my niece an answer by tonight.",
    "I've had the flu and I'm only slowly catching up.",
    "A colleague from {place} asked me the same thing.",
    "I bought the wrong size twice already.",
    "I walked home along the canal to clear my head.",
    "We're expecting a delivery, I may have to run.",
    "I'm on my third coffee.",
)
"""What people add about themselves and nobody asks about later."""
