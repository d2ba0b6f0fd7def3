# What a campaign's notice says of the unit. Its texts are its author's.
campaign-cleared-recall = Ihr Gerät { $product } gehört nicht mehr zum Rückruf { $former }
campaign-cleared-update = Ihr Gerät { $product } gehört nicht mehr zum Update { $former }
campaign-cleared-text = { $number } ersetzt { $former } und betrifft Ihr Gerät nicht.
campaign-nothing-to-do = Sie müssen nichts weiter tun.
