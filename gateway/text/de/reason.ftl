# Channels, inside of a sentence.
channel-email = E-Mail
channel-push = Push
channel-feed = Ihre Meldungen

# Why something was done or was not. Each stands inside of a sentence or behind a colon; a first letter is made a capital.
# Why a person is told first on this channel: "Sent by email because …".
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

# Whom it concerns, and whether it is told.
reason-owned = Ihnen gehört dieses Gerät seit { $since }
reason-owner-since = gehört dieser Person seit { $since }
reason-active-when-theirs = war aktiv, als es am { $since } in andere Hände kam
reason-changed-hands = das Gerät gehört inzwischen jemand anderem
reason-nobody-registered = für dieses Gerät ist niemand registriert
reason-support-only = die Regel meldet es nur dem Kundendienst
reason-historic = es war zu alt, als es geprüft wurde
reason-not-told-of-former = erfuhr nichts von { $former }, es gibt also nichts zurückzunehmen
reason-joined = gehört zur Meldung { $notice }
reason-first-of-its-kind = vorerst die erste ihrer Art
reason-told-already = schon gemeldet
reason-not-told-yet = in der Zeit dieses Besitzes noch nicht gemeldet
reason-safety-at-once = Sicherheit wird sofort gemeldet
reason-room-in-the-hour = { $count } von { $limit } Meldungen in der letzten Stunde
reason-enough-for-an-hour = { $limit } Meldungen in der letzten Stunde sind genug

# Deliveries: planned, and not needed any more.
reason-safety-everywhere = Sicherheit geht auf allen Kanälen zugleich hinaus
reason-follows = folgt, wenn es per { $channel } nicht rechtzeitig geöffnet wurde
reason-follows-failed = { $channel } kam nicht an: { $reason }
reason-follows-skipped = { $channel }: { $reason }
reason-came-again = es kam wieder
reason-in-the-feed = steht bei Ihren Meldungen
reason-not-theirs = das Gerät gehört Ihnen nicht mehr
reason-over-before = vorher wieder normal
reason-remedied-before = vorher behoben
reason-updated-before = vorher aktualisiert
reason-seen-before = vorher gesehen
reason-replaced-before = vorher ersetzt oder zurückgezogen
reason-seen-after = nicht nötig: Sie haben es nach { $channel } gesehen
reason-not-set-up = { $channel } ist hier nicht eingerichtet
reason-no-phone = kein Telefon ist angemeldet
reason-no-address = es gibt keine Adresse mehr
reason-not-confirmed = die Adresse ist nicht bestätigt
reason-no-mail = keine E-Mail an diese Adresse: { $reason }
reason-stopped-by-link = Sie haben E-Mails über den Link in einer beendet
reason-stopped-in-settings = Sie haben E-Mails in den Einstellungen beendet
reason-address-refused = sie wurde abgelehnt ({ $reason })
reason-newer-phones = neuere Telefone kamen an seine Stelle

# What came of sending.
reason-mail-taken = der Mailserver hat es angenommen
reason-mail-unusable = der Mailserver war nicht zu benutzen ({ $error })
reason-mail-gone = der Mailserver war weg, bevor er sagte, ob er es annimmt ({ $error })
reason-mail-said = der Mailserver sagte { $answer }
reason-mail-no-utf8 = der Mailserver nimmt keine Adressen mit Zeichen außerhalb von ASCII vor dem @
reason-mail-broken = die E-Mail ließ sich nicht zusammensetzen ({ $error }); mehr steht im Protokoll
reason-push-taken = Firebase hat es angenommen
reason-push-unreachable = Firebase war nicht erreichbar
reason-push-broken = die Push-Nachricht ließ sich nicht zusammensetzen ({ $error }); mehr steht im Protokoll
reason-push-said = Firebase sagte { $answer }
reason-push-gone = das Telefon hat die App nicht mehr
reason-push-other-app = das Telefon gehört zu einer anderen App
reason-no-answer = keine Antwort innerhalb von { $seconds } s
reason-worker-ended = das Senden wurde unterbrochen; vielleicht kam es an
reason-sent-again = noch einmal gesendet, weil es um Sicherheit geht: { $reason }
reason-tried-again = noch einmal versucht: { $reason }
reason-given-up = aufgegeben nach { $count ->
    [one] { $count } Versuch
   *[other] { $count } Versuchen
 }: { $reason }
reason-reached = { $count } von { $all } erreicht
reason-reached-and = { $count } von { $all } erreicht; { $reason }
reason-error = ein Fehler bei uns ({ $error }); mehr steht im Protokoll
