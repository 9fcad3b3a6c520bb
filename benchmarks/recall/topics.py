"""What people ask an assistant about, and what it answers at length: talk that answers no question of a set; data."""

__all__ = ["TOPICS"]

TOPICS = {
    "travel": (
        (
            "Could you help me plan a long weekend somewhere warm?",
            "How do I find cheap flights without spending hours?",
        ),
        (
            "What should I pack for a trip with changing weather?",
            "Any tips for staying rested on long journeys?",
        ),
        (
            "Start by choosing two or three neighbourhoods rather than a single hotel, because prices move a lot "
            "between them. Look at flights on a Tuesday or a Wednesday, compare nearby airports, and keep one day "
            "free for whatever you discover once you arrive. Local trains are often quicker than rental cars."
        ),
        (
            "Roll your clothes, bring layers, and keep medicine, chargers and one change of clothes in the cabin "
            "bag. A light rain jacket is worth its weight. For museums and popular sights, book the first slot of "
            "the morning; restaurants near a market tend to be better value than those on the main square."
        ),
    ),
    "cooking": (
        (
            "I need some ideas for dinner this week, can you suggest a few?",
            "How do I keep vegetables fresh for longer?",
        ),
        (
            "What can I do with leftover rice?",
            "Do you have a simple sauce that goes with everything?",
        ),
        (
            "Here are some ideas: a tray of roasted vegetables with chickpeas and yogurt, a quick stir-fry with "
            "ginger and garlic, a lentil soup that freezes well, and baked fish with lemon and herbs. Each takes "
            "about half an hour, and most of the ingredients keep for several days in the fridge."
        ),
        (
            "Store herbs upright in a glass of water, wrap leafy greens in a towel, and keep onions away from "
            "potatoes. For a sauce, whisk olive oil, mustard, vinegar and a spoon of honey; add crushed nuts or "
            "cheese for body. Season at the end, taste, then season again. A heavy pan and a sharp knife do most "
            "of the work."
        ),
    ),
    "fitness": (
        (
            "Can you put together a workout plan that I can do at home?",
            "How many rest days should I take in a week?",
        ),
        (
            "What is a good warm-up before lifting?",
            "How do I stay motivated when progress is slow?",
        ),
        (
            "A balanced plan has three days of strength, two of easy cardio and two of rest. Begin with squats, "
            "push-ups, rows and planks, three sets each, and add a little every week. Sleep and protein matter as "
            "much as the training itself, and a short walk after meals helps recovery."
        ),
        (
            "Warm up for five to ten minutes: brisk walking, arm circles, hip openers, then a light first set. "
            "Track what you do in a notebook or an app, celebrate small wins, and train with a partner if you "
            "can. Pain that is sharp or one-sided is a reason to stop and see a professional."
        ),
    ),
    "work": (
        (
            "How can I organise my tasks better at the office?",
            "Could you help me write a polite reminder to a client?",
        ),
        (
            "What makes a good agenda for a team meeting?",
            "How do I ask for feedback without sounding insecure?",
        ),
        (
            "List everything once, choose three tasks that matter today, and give each a block in your calendar. "
            "Turn off notifications during those blocks. At the end of the week, look back at what was finished, "
            "what slipped and why; a manager will appreciate a short written summary."
        ),
        (
            "A good agenda names the decision to be made, who prepares what, and how long each item takes. Send "
            "it a day ahead, start on time, and write down owners and deadlines before people leave. For "
            "feedback, ask about one particular piece of work, and ask what you could do differently next time."
        ),
    ),
    "home": (
        (
            "How do I get a stain out of a carpet?",
            "What is the best way to organise a small closet?",
        ),
        (
            "Can you recommend plants that survive in low light?",
            "How often should I clean the filters at home?",
        ),
        (
            "Blot, never rub. Mix a little dish soap with warm water and white vinegar, dab from the outside in, "
            "rinse, and dry with a towel under something heavy. For old stains, an enzyme cleaner from the "
            "hardware store works better than anything in the kitchen cupboard."
        ),
        (
            "Use vertical space: shelves up to the ceiling, hooks on the door, and boxes with labels. Donate what "
            "you have not worn for a year. Snake plants, pothos and ferns put up with little light; water them "
            "when the soil is dry to the second knuckle, and wipe the leaves once a month."
        ),
    ),
    "money": (
        (
            "How should I set up a monthly budget?",
            "What is the difference between a savings account and a fund?",
        ),
        (
            "How large should an emergency fund be?",
            "Is it smart to pay a loan back early?",
        ),
        (
            "Many people begin with fifty percent for needs, thirty for wants and twenty for saving. Write down "
            "every expense for a month before you judge any of them. Automate transfers on payday, so that saving "
            "does not depend on willpower, and keep three to six months of costs where you can reach them."
        ),
        (
            "An index fund spreads risk over many companies at a low fee, while a savings account is safe and "
            "pays little. Paying a loan back early saves interest, but check for penalties. Insurance, taxes and "
            "rent are the places where one phone call can save more than a year of skipped coffees."
        ),
    ),
    "music": (
        (
            "Could you recommend some albums for a rainy evening?",
            "How do I practise scales without getting bored?",
        ),
        (
            "What should I listen to if I want to understand jazz?",
            "How are songs usually structured?",
        ),
        (
            "Try a mix of older soul records, quiet piano trios and some modern folk. Listen to one album from "
            "start to end rather than to a playlist; artists put thought into the order. Live recordings give an "
            "idea of what a band can do, and liner notes often lead to the next discovery."
        ),
        (
            "Practise with a metronome at half the speed, in short sessions, and record yourself once a week. "
            "Most songs go from verse to chorus and back, with a bridge before the last chorus. Learn the chords "
            "first, then the melody, and play along with the recording as soon as you can."
        ),
    ),
    "books": (
        (
            "Can you suggest some books that are hard to put down?",
            "How do I find time to read more?",
        ),
        (
            "What makes a good opening chapter?",
            "Are audiobooks as good as reading?",
        ),
        (
            "Depending on your mood: a tight thriller, a family saga, a short collection of essays or a classic "
            "that you missed at school. Read the first ten pages of three, and go on with the one that you keep "
            "thinking about. A library card costs nothing, and librarians give excellent advice."
        ),
        (
            "Keep a book where your phone usually lies, read twenty pages before sleep, and allow yourself to "
            "stop reading what bores you. A good opening raises a question and shows a character who wants "
            "something. Audiobooks suit walks and chores, and a good narrator can make an average story shine."
        ),
    ),
    "pets": (
        (
            "How do I teach an animal not to jump on guests?",
            "What should I look for in pet food?",
        ),
        (
            "How often should I take a pet to the vet?",
            "Is it all right to leave a pet alone for a day?",
        ),
        (
            "Consistency is everything: everyone in the house should use the same words and reward the same "
            "behaviour. Keep sessions short, reward quickly, and ignore what you do not want. Toys that hold "
            "treats keep a clever animal busy, and a tired one is a quiet one."
        ),
        (
            "Look for a named meat as the first ingredient and for a food that suits the animal's age. Healthy "
            "adults see a vet once a year, older ones twice. Fresh water, a clean place and some company matter "
            "more than expensive accessories; ask a neighbour to look in if you are away."
        ),
    ),
    "events": (
        (
            "Can you help me plan a small party at home?",
            "What is a thoughtful present for someone who has everything?",
        ),
        (
            "How do I write a toast that is not embarrassing?",
            "What games work for guests of all ages?",
        ),
        (
            "Decide on the number of guests first, since food, seats and music follow from it. Choose dishes that "
            "can be made the day before, set up drinks where people like to stand, and ask two friends to come "
            "early. A theme is nice but nobody minds when there is none."
        ),
        (
            "A toast has three parts: how you know the person, one story that shows who they are, and a wish. Two "
            "minutes are enough. For presents, think of experiences: a class, a concert, a meal; or of something "
            "small that refers to a joke you share. Wrap it well and write a card by hand."
        ),
    ),
    "tech": (
        (
            "My laptop has become slow, what can I do?",
            "How do I back up my photos safely?",
        ),
        (
            "Could you explain what a container is?",
            "What should I check before buying a used phone?",
        ),
        (
            "Restart first, then look at what starts by itself and remove what you do not need. Check that at "
            "least a fifth of the disk is free, update the system, and test the memory. A solid-state drive makes "
            "an old machine feel new. If the fan is loud, dust is a likely reason."
        ),
        (
            "Keep three copies on two kinds of media, one of them somewhere else. A cloud service and an external "
            "drive are a good pair. Before you buy a used device, look at the battery's health, the serial number "
            "and whether it is locked to an account, and pay by a method that protects you."
        ),
    ),
    "health": (
        (
            "How can I improve my sleep?",
            "What helps against a stiff neck after a day at the desk?",
        ),
        (
            "Are there simple ways to eat less sugar?",
            "How much water should one really drink?",
        ),
        (
            "Go to bed and get up at the same hours, keep the room cool and dark, and leave screens outside. "
            "Caffeine works for longer than most people think, so stop after lunch. If you wake up at night, read "
            "something dull in a dim light until you feel tired again."
        ),
        (
            "Place the top of the screen at eye level, take a break every half hour and roll your shoulders. "
            "Stretch the side of the neck gently for thirty seconds. For sugar, start with drinks, then with "
            "breakfast; fruit and nuts help. Thirst is a fair guide for healthy adults. This does not replace a "
            "doctor's advice."
        ),
    ),
}
"""By topic: two first questions, two further ones, and two long answers."""
