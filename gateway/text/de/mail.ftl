# Mails and pushes about a notice.
mail-again = Wir senden dies noch einmal, weil wir nicht wissen, ob es Sie erreicht hat.
mail-again-title = Noch einmal gesendet: { $title }
mail-see = Meldung ansehen
mail-why = Warum Sie das erhalten
mail-evidence = Am { $when } waren es { $value } { $unit }; die Grenze ist { $limit } { $unit }.
mail-sent-because = Per E-Mail, denn { $reason }.
mail-sent-safety = Auf allen Kanälen zugleich gesendet, weil es um Sicherheit geht.
mail-follows = Auch per E-Mail, weil Sie es per { $channel } noch nicht geöffnet hatten.
mail-unit = { $product }, Seriennummer { $serial }
mail-severity-safety = Sicherheit
mail-severity-critical = Bitte sofort ansehen
mail-severity-warning = Bitte ansehen
mail-severity-info = Zu Ihrer Information
mail-unsubscribe = Keine E-Mails zu meinen Produkten mehr
mail-safety-always = Sicherheitsmeldungen kommen immer, auch an Adressen, die sonst keine E-Mail wollen.
mail-which-title = { $title } ({ $which })
mail-recall-title = Produktsicherheitsrückruf: { $title }
mail-confirm = Bestätigen, dass Sie es gelesen haben

# What a notice says of an alarm that was there before the unit became the reader's.
alarm-before = Das war schon so, als Sie das Gerät übernommen haben.
alarm-look = Was es jetzt misst, sehen Sie unter Meine Produkte.
