"""What is told over the years of the tuning half, and how one asks for it later; data."""

__all__ = ["FACTS"]

# Told once by the one who asks.
_ONCE = (
    (("Speaking of which, I assembled my new IKEA bookcase last night, it took me four hours instead of two.",),
     ("How many hours did it take me to put together the bookcase?",)),
    (("I've been listening to the audiobook of Braiding Sweetgrass on my commute and I'm nearly through.",),
     ("What audiobook have I been listening to on the way to work?",)),
    (("My cousin Rafael flies in from Bogotá for his residency interview at the university hospital.",),
     ("Where is my cousin coming from?", "Why is Rafael visiting?")),
    (("I got my old Raleigh back from the repair shop, they wanted 145 for a new bottom bracket.",),
     ("How much did I pay to have my bicycle fixed?",)),
    (("We repainted the nursery in sage green because the previous owners had left it beige.",),
     ("What colour is the baby's room?",)),
    (("I take the 7:40 ferry three times a week since the office moved across the bay.",),
     ("How do I commute to the office these days?", "What time does the boat I take leave?")),
    (("I was stung twice while checking my hive on Saturday, although the bees are usually gentle.",),
     ("Which insects do I keep?", "What happened to me when I inspected the hive?")),
    (("My sister Wanda teaches chemistry at a school in Rotterdam and she gave me a crash course.",),
     ("What subject does my sister teach?", "In which city does Wanda work?")),
    (("I've signed up for the pottery evening class at the community centre, eight weeks for 180 euros.",),
     ("What course did I enrol in?", "How much is the ceramics class?")),
    (("My landlady, Mrs. Petrescu, lets me grow tomatoes on the roof as long as I water her geraniums.",),
     ("What is the name of the woman I rent from?", "What am I allowed to plant on top of the building?")),
    (("I just got back from a screening of The Third Man at the open-air cinema with my colleague Devika.",),
     ("Which film did I watch outdoors?", "Who came along to the movie?")),
    (("I donated 60 books to the prison library after clearing out my grandfather's house.",),
     ("How many books did I give away?", "Where did I donate the books?")),
    (("My allergy test came back: it's birch pollen and, of all things, hazelnuts.",),
     ("What am I allergic to?",)),
    (("I lost my wallet in the tram and a student called Jelle brought it back the same evening.",),
     ("Who returned my wallet?",)),
    (("I led the release of the checkout redesign, a team of seven people in two time zones.",),
     ("How many people were in the team that I led?",)),
    (("I finally beat my uncle at backgammon, the first time in eleven years.",),
     ("Which game did I win against my uncle?",)),
)  # fmt: skip

# Told by the assistant.
_ANSWERED = (
    (("A: For a quiet place near the old harbour I'd book the guesthouse Zur Möwe, it has only nine rooms.",),
     ("What was the name of the guesthouse near the harbour that you recommended?",
      "How many rooms does the inn that you told me about have?")),
    (("A: The dish you describe is called shakshuka; some cooks add smoked eggplant.",),
     ("I'm checking our previous chat: what is the egg dish called that you identified?",)),
    (("A: In the study of 412 nurses, those on rotating shifts slept 74 minutes less per night.",),
     ("How much less did the nurses with changing shifts sleep in the study you cited?",)),
    (("A: The third exercise is the dead bug: lie on your back and lower the opposite arm and leg.",),
     ("What was the third exercise in the list you gave me?",)),
    (("A: The back-end developer could be called Ottoline and the tester Bram, to keep the tone playful.",),
     ("Remind me what name you proposed for the tester in my story.",)),
    (("A: To flush the cache, call purge with the flag recursive; without it nested folders stay.",),
     ("Which flag did you say I need so that nested directories are purged as well?",)),
    (("A: The phrase comes from a letter by Rosa Bonheur to her brother, written in 1867.",),
     ("According to you, who wrote the letter with that phrase?",)),
    (("A: For the anniversary I suggest a fountain pen from Pelikan with her initials on the clip.",),
     ("What present did you suggest for the anniversary?",)),
)  # fmt: skip

# What one likes, told in passing; asked for as advice.
_LIKED = (
    (("I'm a sucker for slow crime series set in Scandinavia, I finished The Bridge for the second time.",),
     ("Can you recommend a show to watch tonight?",)),
    (("I shoot with a Fujifilm X-T4 and only ever use prime lenses, zooms are too heavy for me.",),
     ("Could you suggest some accessories for my camera?",)),
    (("I mostly cook with cast iron and whatever the farmers' market has, I dislike recipes that need an oven.",),
     ("What should I make for dinner on the weekend?",)),
    (("I've been sleeping badly on trips since I can't stand air conditioning, I always look for windows that open.",),
     ("Any tips for choosing a hotel for my trip to Seville?",)),
    (("I unwind by doing crosswords on paper, screens after nine give me headaches.",),
     ("What could I do in the evening to relax?",)),
    (("I'm working on quantum error correction for my thesis, mostly surface codes.",),
     ("Can you recommend recent publications or conferences that I might find interesting?",)),
)  # fmt: skip

# Told, and told anew later.
_CHANGED = (
    (("My half marathon best is 1:58 so far, set in spring.", "I shaved it down: 1:51 is my new best over the half."),
     ("What is my personal best in the half marathon?",)),
    (("I have 12 plants in the flat at the moment.", "With the new ferns I'm up to 19 plants in the flat."),
     ("How many plants do I own?",)),
    (("My therapist sees me every other week.", "My therapist and I now meet each week, it helps."),
     ("How often do I see my therapist?",)),
    (("My mother uses the same grocery app as I do, though she says the list confuses her.",
      "My mother gave up on the grocery app and went back to paper."),
     ("Does my mom use the shopping list app?",)),
    (("I keep my old sneakers under the bed for now.", "I moved the old sneakers to a shoe rack in the closet."),
     ("Where do I keep my old sneakers?",)),
    (("We want to move to Lyon next year, if the transfer is granted.",
      "The transfer fell through, so it will be Nantes rather than Lyon."),
     ("Which city are we going to relocate to?",)),
    (("I was quoted 320 for the wedding cake.", "The baker raised the cake to 385 because of the extra tier."),
     ("How much will the wedding cake cost?",)),
)  # fmt: skip

# Several sessions, and the order and distance of things.
_DATED = (
    (("I brought home Miso, a tabby of nine weeks, today.", "Miso saw the vet for the first shots this morning."),
     ("How many days passed between adopting Miso and the first visit at the vet?",)),
    (("I went to the lantern festival with my choir on Friday.", "Our choir sang at the cathedral on Sunday."),
     ("Which did I attend first, the lantern festival or the concert in the cathedral?",)),
    (("I bought a charger for the car at a flea market.", "The charger from the flea market broke, it smelled burnt."),
     ("How long did the charger work before it broke?",)),
    (("I attended my friend Soraya's wedding in a barn, lovely speeches.",
      "I was at a wedding again, of my cousin this time, on a boat.",
      "Third wedding this year: two colleagues in the town hall."),
     ("How many weddings have I been to this year?",)),
    (("I started using the standing desk on Monday.", "My back pain is gone, I noticed it while getting up today."),
     ("How many weeks after I got the standing desk did my back stop hurting?",)),
    (("I spent 90 on a helmet for my daughter.", "New brake lights for the bike were 35, I had them fitted."),
     ("How much money have I spent on things for cycling since the beginning of the year?",)),
)  # fmt: skip

FACTS = (*_ONCE, *_ANSWERED, *_LIKED, *_CHANGED, *_DATED)
"""What is said, each piece in a session of its own; and the questions."""
