# Channels, inside of a sentence.
channel-email = E-Mail
channel-email-missing = wir haben keine Adresse, an die wir schreiben dürfen
channel-push = Push
channel-push-missing = kein Telefon ist angemeldet
channel-feed = Ihre Meldungen

# Why something was done or was not. Each stands inside of a sentence or behind a colon; a first letter is made a capital.
# Why a person is told first on this channel: "Sent by email because …".
reason-chosen = Sie haben { $channel } gewählt
reason-chosen-without = Sie haben { $channel } gewählt, aber { $missing }; { $reason }
reason-only-way = { $channel } ist der einzige Weg, den Sie uns gegeben haben
reason-nowhere = es gibt keine bestätigte Adresse und kein angemeldetes Telefon
reason-often-opened = Sie haben { $count } der letzten { $all } per { $channel } geöffnet
reason-often-acknowledged = Sie haben { $count } der letzten { $all } per { $channel } bestätigt
reason-often-signed_in = Sie haben sich { $count } der letzten { $all } Male per { $channel } angemeldet
reason-lately = zuletzt waren Sie am besten per { $channel } zu erreichen
reason-default = wir beginnen mit { $channel }, bis wir wissen, was Sie erreicht

# Whom it concerns, and whether it is told.
reason-nothing-against = nichts sprach dagegen
reason-owned = Ihnen gehört dieses Gerät seit { $since }
reason-owner-since = gehört dieser Person seit { $since }
reason-active-when-theirs = war aktiv, als es am { $since } in andere Hände kam
reason-changed-hands = das Gerät gehört inzwischen jemand anderem
reason-nobody-registered = für dieses Gerät ist niemand registriert
reason-support-only = die Regel meldet es nur dem Kundendienst
reason-historic = vergangen: es war zu alt, als es geprüft wurde
reason-not-told-of-former = erfuhr nichts von { $former }, es gibt also nichts zurückzunehmen
reason-joined = gehört zur Meldung { $notice }
reason-first-of-its-kind = vorerst die erste ihrer Art
reason-told-already = schon gemeldet
reason-not-told-yet = in der Zeit dieses Besitzes noch nicht gemeldet
reason-safety-at-once = Sicherheit wird sofort gemeldet
reason-room-in-the-hour = { $count } von { $limit } Meldungen in der letzten Stunde
reason-enough-for-an-hour = { $limit } Meldungen in der letzten Stunde sind genug

# Why a unit is in the audience of a campaign.
reason-matched-lot = Charge { $what }
reason-matched-firmware = Firmware { $what }
reason-matched-serial = es steht auf der Liste der Seriennummern

# Deliveries: planned, and not needed any more.
reason-safety-everywhere = Sicherheit geht auf allen Kanälen zugleich hinaus
reason-follows = folgt, wenn es per { $channel } nicht rechtzeitig geöffnet wurde
reason-came-again = es kam wieder
reason-not-theirs = das Gerät gehört Ihnen nicht mehr
reason-over-before = vorher wieder normal
reason-remedied-before = vorher behoben
reason-updated-before = vorher aktualisiert
reason-seen-before = vorher gesehen
reason-replaced-before = vorher ersetzt oder zurückgezogen
reason-stopped-by-link = Sie haben E-Mails über den Link in einer beendet
reason-stopped-in-settings = Sie haben E-Mails in den Einstellungen beendet
reason-address-refused = sie wurde abgelehnt ({ $reason })
reason-phone-taken-out = Sie haben es abgemeldet
reason-newer-phones = neuere Telefone kamen an seine Stelle

# What came of sending.
