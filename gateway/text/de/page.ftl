# The pages without a script: a notice, and those behind links in mails.
page-confirmed = Sie haben am { $when } bestätigt, dass Sie es gelesen haben und tun.
page-you-confirmed = { $time }, Sie haben es bestätigt
page-acknowledged = Sie haben am { $when } gemeldet, dass es erledigt ist.
page-limit = Grenze { $limit }
page-chart = { $title } von { $first } bis { $last }. { $normal } Grenze { $limit }. Alarm seit { $onset }. Zuletzt { $value }.
page-time = Zeit
page-value = Wert
page-crossed = { $time }, { $title } überschritt die Grenze { $limit }
page-stayed = Es blieb so, deshalb wurde daraus um { $time } eine Meldung.
page-opened = { $time }, Sie haben es geöffnet
page-cleared = { $time }, wieder normal
page-installed = { $time }, installiert
page-missing-title = Diese Meldung gibt es hier nicht
page-missing = Vielleicht ist die Adresse vertippt, oder die Meldung ging an jemand anderen.

page-mail-stop-title = Keine E-Mails zu Ihren Produkten mehr?
page-mail-stop-text = Sie erhalten an diese Adresse keine Meldungen mehr. Sie stehen weiter unter Meine Produkte, und Sicherheitsmeldungen kommen weiterhin.
page-mail-stop-do = E-Mails beenden
page-mail-stopped-title = Die E-Mails sind beendet
page-mail-stopped-text = An diese Adresse kommen keine Meldungen mehr. Ändern können Sie das unter Meine Produkte.
page-mail-gone-title = Dieser Link gilt nicht mehr
page-mail-gone-text = Er ist beschädigt, oder die Adresse wird nicht mehr benutzt. Ändern Sie es unter Meine Produkte.
page-link-gone-title = Dieser Link ist nicht lesbar
page-link-gone-text = Er ist beschädigt. Jede Meldung steht unter Meine Produkte.

page-outbox = Von der Demo gesendet
page-outbox-text = E-Mails und Push-Nachrichten, die die Demo abfing, statt sie zu versenden, die neuesten zuerst.
page-outbox-shown = Was zu sehen ist
page-outbox-all = Alle
page-outbox-mail = E-Mail
page-outbox-push = Push
page-outbox-from = Von { $sender } an { $to }
page-outbox-headers = Kopfzeilen
page-outbox-phone = An das Telefon { $phone }
page-outbox-data = Daten
page-outbox-empty = Noch wurde nichts gesendet. Codes, Meldungen und Push-Nachrichten erscheinen hier, wenn das Gateway sie sendet.
