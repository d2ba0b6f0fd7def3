"""Units as the staff work with them: the list, and all that is known of one."""
