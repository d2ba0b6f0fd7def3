# What a campaign's notice says of the unit. Its texts are its author's.
campaign-cleared-recall = Your { $product } is no longer part of recall { $former }
campaign-cleared-update = Your { $product } is no longer part of update { $former }
campaign-cleared-text = { $number } replaces { $former }, and it does not concern your unit.
campaign-nothing-to-do = You need not do anything more.
