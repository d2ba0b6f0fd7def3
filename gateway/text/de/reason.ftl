# Channels, inside of a sentence.
channel-email = E-Mail
channel-push = Push

# Why a person is told first on this channel. Each stands inside of a sentence: "Sent by email because …".
reason-chosen = Sie haben { $channel } gewählt
reason-chosen-without-email = Sie haben E-Mail gewählt, aber wir haben keine Adresse, an die wir schreiben dürfen; { $reason }
reason-chosen-without-push = Sie haben Push gewählt, aber kein Telefon ist angemeldet; { $reason }
reason-only-way = { $channel } ist der einzige Weg, den Sie uns gegeben haben
reason-nowhere = es gibt keine bestätigte Adresse und kein angemeldetes Telefon
reason-opened = Sie haben { $count } der letzten { $all } per { $channel } geöffnet
reason-acknowledged = Sie haben { $count } der letzten { $all } per { $channel } bestätigt
reason-signed_in = Sie haben sich { $count } der letzten { $all } Male per { $channel } angemeldet
reason-lately = zuletzt waren Sie am besten per { $channel } zu erreichen
reason-default = wir beginnen mit { $channel }, bis wir wissen, was Sie erreicht
