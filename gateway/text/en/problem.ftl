# What the server refused, by the code of its answer.
problem-error = This did not work ({ $code }).
problem-not_signed_in = Sign in first.
problem-forbidden = Your account may not do this. Ask an administrator.
problem-sign_in_refused = The address or the password is wrong. Check both, or reset the password.
problem-code_refused = The code is wrong or no longer good. Check it, or ask for a new one.
problem-too_many_attempts = That was tried too often. Try again in { $minutes ->
    [one] a minute
   *[other] { $minutes } minutes
 }.
problem-bad_address = This address cannot be used. Check how it is written.
problem-bad_password = This password cannot be taken. Use at least 12 characters.
problem-no_mail = No mail can be sent from here yet. Whoever runs this installation can change that.
problem-claim_refused = These do not register a product. Compare serial and code with what is printed; a product that has an owner must be given up by them first.
problem-not_found = There is nothing here, or it is no longer yours.
problem-bad_input = Some of what was sent cannot be taken. Check it and send it again.
problem-body_too_large = This is too much at once. Send less.
problem-busy = Too much is being sent at this moment. Try again in a few seconds.
problem-unavailable = { $trouble ->
    [conflict] Somebody else changed the same at this moment, and nothing was changed here. Try again.
    [disk] The database's disk is full: nothing can be changed. Tell whoever runs this installation.
   *[other] This cannot be done at this moment. Try again in a minute.
 }
problem-too_many_pages = You have too many pages open. Close one and load this one again.
problem-cross_site = The request did not come from a page of ours. Load the page again.
problem-refused = The server does not take this.

problem-conflict = { $number } was edited meanwhile. Read it again.
problem-not_a_draft = { $number } is published. It can be replaced or withdrawn, not changed.
problem-too_many_drafts = There are { $drafts } drafts, which is as many as are kept. Discard some first.
problem-second_person = A second person approves: you drafted or edited this campaign.
problem-count_changed = { $units ->
    [one] It concerns { $units } unit now, not { $typed }. Look again.
   *[other] It concerns { $units } units now, not { $typed }. Look again.
 }
problem-own_account = Nobody changes their own role or account. Ask another administrator.
problem-last_administrator = No administrator would be left. Make somebody else an administrator first.
problem-search_too_wide = This matches too much to be found in time; write more of it.
