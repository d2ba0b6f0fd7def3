"""The finding on push: the service account can be read. Firebase is not asked."""

import stat
from pathlib import Path

from gateway.core.errors import BadInput
from gateway.core.finding import Finding, ok, problem, warning
from gateway.notify.channels.push.sender import read_account


def probe_push(credentials: Path | None) -> Finding:
    """Returns the finding on the service account's file; Firebase itself is not asked."""
    if credentials is None:
        return ok("push", "not set up (GATEWAY_FCM_CREDENTIALS): no push is sent")
    try:
        account = read_account(credentials)
    except BadInput as error:
        return problem("push", str(error), "GATEWAY_FCM_CREDENTIALS, or the file's owner and mode")
    text = f"service account {account.service_account_email} of {account.project_id}"
    if credentials.stat().st_mode & stat.S_IROTH:
        return warning("push", f"{text}; everybody on this machine can read its key", f"chmod o-r {credentials}")
    return ok("push", text)
