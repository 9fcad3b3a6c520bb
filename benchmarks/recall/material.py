"""What the people of the made conversations tell each other, and how one would ask for it in other words; data."""

__all__ = ["EVENTS", "FILLER", "NAMES", "SLOTS", "WORK"]

NAMES = (
    *("Ines", "Tomas", "Priya", "Bruno", "Hanna", "Kofi", "Leila", "Oscar", "Mei", "Viktor"),
    *("Nadia", "Sam", "Greta", "Diego", "Aiko", "Emeka", "Sofia", "Liam", "Yusuf", "Clara"),
)

SLOTS = {
    "city": ("Lisbon", "Kyoto", "Oslo", "Cusco", "Tallinn", "Hanoi", "Marrakesh", "Quebec"),
    "pet": ("puppy", "kitten", "rabbit", "parrot", "tortoise"),
    "petname": ("Biscuit", "Olive", "Pepper", "Mango", "Ziggy", "Clover"),
    "instrument": ("cello", "banjo", "clarinet", "accordion", "harp"),
    "dish": ("lasagna", "paella", "ramen", "goulash", "dumplings", "curry"),
    "job": ("nurse", "carpenter", "pilot", "librarian", "translator", "baker"),
    "sport": ("fencing", "rowing", "climbing", "badminton", "archery"),
    "month": ("January", "April", "June", "September", "November"),
    "color": ("teal", "crimson", "mustard", "lavender"),
    "relative": ("grandmother", "uncle", "cousin", "niece", "brother"),
    "service": ("billing", "search", "checkout", "notifications", "ingest", "auth"),
    "database": ("Postgres", "MySQL", "SQLite", "Mongo"),
    "number": ("12", "27", "40", "85", "150", "300"),
    "book": ("The Salt Path", "Dune", "Middlemarch", "Piranesi", "Kindred"),
    "charity": ("food bank", "animal shelter", "homeless kitchen", "tree planting group"),
}

# Each: what is said, a line or two apart, and ways to ask for it. {a} tells, {b} answers.
EVENTS = (
    (
        ("I finally booked the flights, we land in {city} on the third.", "Two weeks off, I can't wait."),
        ("Where is {a} going on vacation?", "When did {a} arrange the trip to {city}?"),
    ),
    (
        ("We adopted a {pet} from the shelter, we called it {petname}.", "It already sleeps on the couch."),
        ("What is the name of {a}'s {pet}?", "Which animal did {a} take in and name {petname}?"),
    ),
    (
        ("I've started learning the {instrument}, my fingers hurt.", "My teacher comes every Tuesday."),
        ("What instrument is {a} taking lessons on?", "When did {a} begin playing the {instrument}?"),
    ),
    (
        ("Guess what, I made {dish} from scratch for six people.", "Everyone asked for seconds."),
        ("What did {a} cook for guests?", "Who prepared homemade {dish}?"),
    ),
    (
        ("My {relative} is in hospital after breaking a hip.", "The surgery went well though."),
        ("Which relative of {a} had an operation?", "What happened to {a}'s {relative}'s health?"),
    ),
    (
        ("I quit my position at the bank to train as a {job}.", "Scary, but it feels right."),
        ("What new career did {a} choose?", "Why did {a} leave the bank to become a {job}?"),
    ),
    (
        ("I won second place at the {sport} tournament last weekend!", "They gave me a silver medal."),
        ("What prize did {a} get in {sport}?", "In which competition did {a} come second?"),
    ),
    (
        ("We painted the bedroom {color} and bought new curtains.", "It took the whole weekend."),
        ("What colour is {a}'s bedroom now?", "Which room did {a} decorate in {color}?"),
    ),
    (
        ("I've been volunteering at the {charity} on Saturdays.", "The people there are wonderful."),
        ("Where does {a} help out on weekends?", "How does {a} give time to the {charity}?"),
    ),
    (
        ("I just finished reading {book}, I cried at the end.", "You should borrow my copy."),
        ("Which novel made {a} cry?", "What book did {a} offer to lend?"),
    ),
    (
        ("My knee is bad again, the doctor forbade running until {month}.", "So I swim instead."),
        ("Why can't {a} jog before {month}?", "What injury keeps {a} from running until {month}?"),
    ),
    (
        ("We're getting married in {month}, in her parents' garden!", "Just sixty guests."),
        ("When is {a}'s wedding, in {month}?", "Where will {a} marry in {month}?"),
    ),
    (
        ("My daughter got her first tooth knocked out at {sport} practice.", "She was braver than me."),
        ("What happened to {a}'s child during {sport}?", "Who lost a tooth at {sport}?"),
    ),
    (
        ("The landlord raised the rent by {number} percent, so we're moving.", "We look at flats near the river."),
        ("Why is {a} relocating?", "By how much did {a}'s rent increase?"),
    ),
    (
        ("I grew up in {city}, we left when I was nine.", "I still dream of the harbour."),
        ("Where did {a} spend childhood?", "Which city is {a} originally from?"),
    ),
    (
        ("I sold the old van and bought a {color} bicycle.", "Commuting is a joy now."),
        ("How does {a} get to work since buying a {color} bike?", "What replaced {a}'s van?"),
    ),
    (
        ("The therapist says my insomnia comes from stress; {number} minutes of meditation helped.", "I sleep better."),
        ("What helps {a} against sleeping badly?", "How long does {a} meditate?"),
    ),
    (
        ("My {relative} taught me pottery this summer, I made {number} bowls.", "Half of them leak."),
        ("What craft did {a} learn from a {relative}?", "How many bowls did {a} make with the {relative}?"),
    ),
)

WORK = (
    (
        (
            "Decision: we put a connection pool of {number} in front of {database} for {service}.",
            "It stops the timeouts.",
        ),
        ("What did we decide about pooling {database} connections in {service}?", "How big is the {service} pool?"),
    ),
    (
        ("The {service} deploy failed: migration {number} locked the users table.", "I rolled it back at noon."),
        ("Why was the {service} release reverted?", "Which migration broke {service}?"),
    ),
    (
        ("Root cause of the {service} crash is a memory leak in the image resizer.", "Fixed by closing the handles."),
        ("What caused {service} to run out of memory?", "How was the leak in {service} repaired?"),
    ),
    (
        ("We chose {database} over the other options for {service} because of backups.", "Noted in the design doc."),
        ("Which database did we pick for {service}?", "Why was {database} selected for {service}?"),
    ),
    (
        ("Rate limit for {service} is now {number} requests a minute per key.", "The customer agreed."),
        ("What quota did we set on {service}?", "How many calls per minute may a key make to {service}?"),
    ),
    (
        ("The flaky {service} test passed after I froze the clock at midnight UTC.", "It depended on the time zone."),
        ("How did we stabilise the unreliable {service} test?", "What made the {service} test flaky?"),
    ),
    (
        ("Rotate the {service} credentials every {number} days, says the auditor.", "I added a calendar reminder."),
        ("How often must {service} secrets change?", "What did the audit ask for in {service}?"),
    ),
    (
        ("Upgraded {service} to the new {database} driver, latency fell by {number} percent.", "Nice graph attached."),
        (
            "How much faster is {service} after the {database} driver update?",
            "What improved performance of {service} with {database}?",
        ),
    ),
)

FILLER = (
    "How was your week?",
    "Not bad, work was busy and the weather awful.",
    "That sounds great, tell me more!",
    "I know what you mean, family takes a lot of time.",
    "We should meet for lunch soon.",
    "Haha, that is so true.",
    "I spent the evening watching a movie with friends.",
    "Did you sleep well?",
    "I went for a long walk in the park.",
    "The kids were loud all morning.",
    "I'm so proud of you, keep going!",
    "Thanks, it means a lot to me.",
    "I bought some books and a new pair of shoes.",
    "Dinner was nice, we cooked together.",
    "What are your plans?",
    "Maybe a short trip, or just rest at home.",
    "My team changed the schedule again.",
    "Let me check the calendar.",
    "The tests pass now, I'll open a pull request.",
    "Can you look at the logs when you have time?",
    "I read about it online, quite an interesting idea.",
    "Music always helps me to relax.",
    "Same here, honestly.",
    "My doctor told me to drink more water.",
    "The garden needs some care.",
    "We took lots of pictures.",
)
