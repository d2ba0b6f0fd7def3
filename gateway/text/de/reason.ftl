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
reason-came-back = es kam nach der Entwarnung wieder
reason-one-message = eine Nachricht mit der Meldung { $notice }
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
reason-follows-failed = { $channel } kam nicht an: { $reason }
reason-follows-skipped = { $channel }: { $reason }
reason-given-up = aufgegeben nach { $count ->
    [one] { $count } Versuch
   *[other] { $count } Versuchen
 }: { $reason }
reason-mail-broken = die E-Mail ließ sich nicht zusammensetzen ({ $error }); mehr steht im Protokoll
reason-mail-gone = der Mailserver war weg, bevor er sagte, ob er es annimmt ({ $error })
reason-mail-no-utf8 = der Mailserver nimmt keine Adressen mit Zeichen außerhalb von ASCII vor dem @
reason-mail-said = der Mailserver sagte { $answer }
reason-mail-taken = der Mailserver hat es angenommen
reason-mail-unusable = der Mailserver war nicht zu benutzen ({ $error })
reason-no-address = es gibt keine Adresse mehr
reason-no-answer = keine Antwort innerhalb von { $seconds } s
reason-no-mail = keine E-Mail an diese Adresse: { $reason }
reason-no-phone = kein Telefon ist angemeldet
reason-not-confirmed = die Adresse ist nicht bestätigt
reason-not-set-up = { $channel } ist hier nicht eingerichtet
reason-push-gone = das Telefon hat die App nicht mehr
reason-push-other-app = das Telefon gehört zu einer anderen App
reason-push-said = Firebase sagte { $answer }
reason-push-taken = Firebase hat es angenommen
reason-push-unreachable = Firebase war nicht erreichbar
reason-reached = { $count } von { $all } erreicht
reason-reached-and = { $count } von { $all } erreicht; { $reason }
reason-seen-after = nicht nötig: Sie haben es nach { $channel } gesehen
reason-sent-again = noch einmal gesendet, weil es um Sicherheit geht: { $reason }
reason-tried-again = noch einmal versucht: { $reason }
reason-worker-ended = das Senden wurde unterbrochen; vielleicht kam es an
reason-push-credentials = Firebase nahm unsere Zugangsdaten nicht an ({ $error })
reason-push-no-number = Firebase antwortete ohne Nummer
reason-push-unconfirmed = Firebase sagte nicht, ob es die Nachricht annahm ({ $error })
reason-sending-broke = das Senden brach ab ({ $error }); vielleicht ging es hinaus
reason-unreadable = es ließ sich nicht zusammensetzen ({ $error })
reason-letter-again = wie es ausging, ist unbekannt; dann wird ein Brief noch einmal gesendet: { $reason }
reason-no-letter = es gibt keinen Brief namens { $template }
