# What the server refused, by the code of its answer.
problem-error = Das hat nicht geklappt ({ $code }).
problem-not_signed_in = Melden Sie sich zuerst an.
problem-forbidden = Ihr Konto darf das nicht. Fragen Sie jemanden, der verwaltet.
problem-sign_in_refused = Die Adresse oder das Passwort ist falsch. Prüfen Sie beides, oder setzen Sie ein neues Passwort.
problem-code_refused = Der Code ist falsch oder gilt nicht mehr. Prüfen Sie ihn, oder fordern Sie einen neuen an.
problem-too_many_attempts = Das wurde zu oft versucht. Versuchen Sie es in { $minutes ->
    [one] einer Minute
   *[other] { $minutes } Minuten
 } noch einmal.
problem-bad_address = Diese Adresse geht nicht. Prüfen Sie, wie sie geschrieben ist.
problem-bad_password = Dieses Passwort geht nicht. Nehmen Sie mindestens 12 Zeichen.
problem-no_mail = Von hier können noch keine E-Mails gesendet werden. Ändern kann das, wer diese Installation betreibt.
problem-claim_refused = Damit lässt sich kein Produkt registrieren. Vergleichen Sie Seriennummer und Code mit dem Aufdruck; ein Produkt, das jemandem gehört, muss erst freigegeben werden.
problem-not_found = Hier ist nichts, oder es gehört Ihnen nicht mehr.
problem-bad_input = Etwas davon kann nicht angenommen werden. Prüfen Sie es und senden Sie es noch einmal.
problem-body_too_large = Das ist zu viel auf einmal. Senden Sie weniger.
problem-busy = Gerade wird zu viel gesendet. Versuchen Sie es in ein paar Sekunden noch einmal.
problem-unavailable = { $trouble ->
    [conflict] Jemand anderes hat gerade dasselbe geändert, und hier wurde nichts geändert. Versuchen Sie es noch einmal.
    [disk] Die Festplatte der Datenbank ist voll: Nichts kann geändert werden. Sagen Sie es denen, die diese Installation betreiben.
   *[other] Das geht gerade nicht. Versuchen Sie es in einer Minute noch einmal.
 }
problem-too_many_pages = Sie haben zu viele Seiten offen. Schließen Sie eine und laden Sie diese neu.
problem-cross_site = Die Anfrage kam nicht von einer unserer Seiten. Laden Sie die Seite neu.
problem-refused = Der Server nimmt das nicht an.

problem-conflict = { $number } wurde inzwischen geändert. Lesen Sie es noch einmal.
problem-not_a_draft = { $number } ist veröffentlicht. Es kann ersetzt oder zurückgezogen, aber nicht geändert werden.
problem-too_many_drafts = Es gibt { $drafts } Entwürfe, mehr werden nicht aufgehoben. Verwerfen Sie erst einige.
problem-second_person = Eine zweite Person gibt frei: Sie haben diese Kampagne entworfen oder bearbeitet.
problem-count_changed = { $units ->
    [one] Sie betrifft jetzt { $units } Gerät, nicht { $typed }. Sehen Sie noch einmal nach.
   *[other] Sie betrifft jetzt { $units } Geräte, nicht { $typed }. Sehen Sie noch einmal nach.
 }
problem-own_account = Niemand ändert die eigene Rolle oder das eigene Konto. Fragen Sie einen anderen Administrator.
problem-last_administrator = Es bliebe kein Administrator übrig. Machen Sie zuerst jemand anderen zum Administrator.
problem-search_too_wide = Das trifft auf zu vieles zu; schreiben Sie mehr davon.
