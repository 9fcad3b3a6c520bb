"""What is told over the years of the reporting half, and how one asks for it later; data."""

__all__ = ["FACTS"]

# Told once by the one who asks.
_ONCE = (
    (("By the way, the renovation of our bathroom ended up costing 9,400, nearly double the estimate.",),
     ("What did the bathroom renovation cost?",)),
    (("I'm training for my first triathlon, the swim is in the lake of Annecy in September.",),
     ("Which lake will I swim in?", "What competition am I preparing for?")),
    (("My brother Anselm builds violins and he let me varnish one.",),
     ("What does my brother do for a living?", "What did Anselm let me do?")),
    (("I traded my car for a cargo bike from Urban Arrow, mostly to bring the kids to kindergarten.",),
     ("What replaced my car?", "How do I take my children to kindergarten?")),
    (("I had a root canal on Wednesday and I'm only allowed soup.",),
     ("What did the dentist do?", "What may I eat after the treatment of my tooth?")),
    (("I've joined an amateur theatre group and I'm playing the butler in a farce.",),
     ("What part do I have in the play?",)),
    (("My neighbour Ottavio gave me 14 kilos of plums and I turned them into chutney.",),
     ("Who gave me plums?", "What did I make out of the plums?")),
    (("I adopted two hens from a rescue farm, they're called Agnes and Dot.",),
     ("What are my chickens called?", "Where did I get my hens from?")),
    (("I got a scholarship for a summer school on glaciers in Tromsø.",),
     ("Where is the summer school that I was accepted to?", "What is the summer school about?")),
    (("My flight to Edinburgh was cancelled and I slept on the floor of gate 22.",),
     ("Where did I sleep when my flight was cancelled?",)),
    (("I inherited a wristwatch of 1962 from my godmother and had the strap replaced.",),
     ("Who left me the old watch?",)),
    (("I've been fasting until noon since January and lost four kilos.",),
     ("How much weight did I lose by skipping breakfast?",)),
    (("Last night's book club was about Stoner and I was the only one who disliked it.",),
     ("Which novel did our reading circle talk about?",)),
    (("My internship at the aquarium begins on the first of July, I'll feed the penguins.",),
     ("Which animals will I take care of at the aquarium?", "When do I start my internship?")),
    (("My old manager Beatriz recommended me for the post in the ministry of transport.",),
     ("Who recommended me for the job at the ministry?",)),
    (("I soldered my own radio from a kit, 38 parts, and it works.",),
     ("What did I build from a kit?",)),
)  # fmt: skip

# Told by the assistant.
_ANSWERED = (
    (("A: If you want live fado without a tourist menu, try the tavern Mesa de Frades.",),
     ("What was the tavern with live fado that you mentioned?",)),
    (("A: Your symptoms of the dishwasher match a blocked air gap; the error is E24 on that brand.",),
     ("Which error code did you say the dishwasher shows?",)),
    (("A: The survey covered 1,250 tenants, of whom 31 percent had switched the provider.",),
     ("How many tenants took part in the survey that you quoted?",)),
    (("A: For the chess opening you lost against, the name is the Alapin variation.",),
     ("What is the opening called that you recognised from my game?",)),
    (("A: As a pseudonym for the detective I propose Hester Vane.",),
     ("Remind me which pseudonym you came up with for the detective.",)),
    (("A: To keep the index small, set fastupdate to off before the bulk load.",),
     ("What setting did you tell me to change before a bulk load?",)),
    (("A: The wine that goes with it is a dry Furmint from Tokaj.",),
     ("Which wine did you recommend with the dish?",)),
    (("A: The fifth step is to let the dough rest overnight in the refrigerator.",),
     ("In the instructions you gave me, what was the fifth step?",)),
)  # fmt: skip

# What one likes, told in passing; asked for as advice.
_LIKED = (
    (("I only read novels in translation these days, Japanese ones above all, I devoured Kawakami's.",),
     ("Can you suggest a book for my holiday?",)),
    (("I knit with undyed wool from small farms, anything synthetic makes my hands itch.",),
     ("Which yarn would you recommend for my next project?",)),
    (("I gave up running because of my knees, so I do aqua jogging and rowing.",),
     ("What kind of exercise would be good for me this week?",)),
    (("I love trains at night, I took the sleeper to Vienna twice and I hate airports.",),
     ("How should I travel to the conference in Zurich?",)),
    (("I'm teaching myself music production in Ableton, ambient mostly.",),
     ("Could you point me to some tutorials or resources that I'd like?",)),
    (("My coffee has to be filter, light roast, nothing with milk.",),
     ("What drink should I order at the new café?",)),
)  # fmt: skip

# Told, and told anew later.
_CHANGED = (
    (("My savings for the boat stand at 2,100.", "Another deposit: the boat fund has reached 3,650."),
     ("How much have I saved for the boat?",)),
    (("We rehearse on Thursdays with the brass band.", "The brass band has moved rehearsals to Monday."),
     ("On which day does the brass band rehearse?",)),
    (("I've visited 17 national parks so far.", "Yosemite was number 18 on my list of national parks."),
     ("How many national parks have I visited?",)),
    (("My passport is in the drawer of the hallway.", "I put the passport into the safe at my parents' place."),
     ("Where is my passport?",)),
    (("My daughter wants to become a vet.", "My daughter changed her mind, it's marine biology now."),
     ("What does my daughter want to study?",)),
    (("I wake up at six for work.", "With the new shift I get up at a quarter past five."),
     ("What time do I wake up?",)),
    (("The fence will be put up by Holloway and Sons.", "Holloway cancelled, so my uncle builds the fence with me."),
     ("Who is building our fence?",)),
)  # fmt: skip

# Several sessions, and the order and distance of things.
_DATED = (
    (("I planted the garlic today.", "I pulled the first garlic bulbs out of the bed."),
     ("How many months lay between planting and harvesting the garlic?",)),
    (("I handed in my thesis this morning.", "I defended my thesis, with distinction!"),
     ("How long did it take from handing in my thesis to the defence?",)),
    (("We saw the exhibition about Klimt on Saturday.", "I spent the afternoon at the museum of toys."),
     ("Which museum or exhibition did I visit first, Klimt or the toys?",)),
    (("I got a fine of 40 for speeding.", "Parking ticket again, 25 this time.", "They towed my car, 210 to get it."),
     ("How much have I paid in fines for driving and parking?",)),
    (("I broke my wrist on the ice rink.", "The cast came off my wrist today."),
     ("How many weeks did I wear a cast?",)),
    (("I enrolled in a first-aid course.", "I passed the first-aid exam with my neighbour."),
     ("When did I pass the exam in first aid, and how long after enrolling?",)),
)  # fmt: skip

FACTS = (*_ONCE, *_ANSWERED, *_LIKED, *_CHANGED, *_DATED)
"""What is said, each piece in a session of its own; and the questions."""
