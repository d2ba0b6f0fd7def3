"""The icons of the pages that the server renders, as in web/src/parts/icons.ts."""

ICONS = {
    "left": '<path d="m14.5 6-6 6 6 6"/>',
    "ok": '<circle cx="12" cy="12" r="8.8"/><path d="m8.2 12.3 2.6 2.6 5-5.4"/>',
    "recall": '<path d="M8.2 3h7.6L21 8.2v7.6L15.8 21H8.2L3 15.8V8.2z"/><path d="M12 7.5v5.2M12 16.3v.1"/>',
    "crit": '<path d="M12 2.8 21.2 12 12 21.2 2.8 12z"/><path d="M12 7.8v5M12 16v.1"/>',
    "warn": '<path d="M12 4 21 19.5H3z"/><path d="M12 10v4M12 16.8v.1"/>',
    "info": '<circle cx="12" cy="12" r="8.8"/><path d="M12 11v5.5M12 7.5v.1"/>',
    "eye": (
        '<path d="M2.5 12C5 7.7 8.2 5.5 12 5.5s7 2.2 9.5 6.5c-2.5 4.3-5.7 6.5-9.5 6.5S5 16.3 2.5 12z"/>'
        '<circle cx="12" cy="12" r="2.8"/>'
    ),
    "doc": '<path d="M6 3h8l4.5 4.5V21H6z"/><path d="M13.5 3.5V8H18M9 12.5h6M9 16.5h6"/>',
    "globe": (
        '<circle cx="12" cy="12" r="8.8"/><path d="M3.2 12h17.6M12 3.2c4.7 5 4.7 12.6 0 17.6'
        'M12 3.2c-4.7 5-4.7 12.6 0 17.6"/>'
    ),
    "phone": (
        '<path d="M6 3.5h3.2l1.5 4.4-2.1 1.5a11 11 0 0 0 5.9 5.9l1.5-2.1 4.4 1.5V18a2.5 2.5 0 0 1-2.7 2.5'
        'A15.5 15.5 0 0 1 3.5 6.2 2.5 2.5 0 0 1 6 3.5z"/>'
    ),
    "out": '<path d="M14 4.5H5v15h9M10 12h10m-3.8-3.8L20 12l-3.8 3.8"/>',
    "repeat": (
        '<path d="M4.5 11a7.5 7.5 0 0 1 13-4.2L20 9.2M20 4.5v4.7h-4.7M19.5 13a7.5 7.5 0 0 1-13 4.2L4 14.8'
        'M4 19.5v-4.7h4.7"/>'
    ),
    "update": '<circle cx="12" cy="12" r="8.8"/><path d="M12 16V8.4m-3.3 3L12 8.2l3.3 3.2"/>',
    "check": '<path d="m5 12.8 4.6 4.4L19 7"/>',
    "right": '<path d="m9.5 6 6 6-6 6"/>',
    "key": '<circle cx="8" cy="15.5" r="4.3"/><path d="m11.2 12.4 8.3-8.4M16 7.5l3 3"/>',
    "chart": '<path d="M4 4v16h16"/><path d="m7.5 15 3.5-5 3 3 5-7"/>',
    "moon": '<path d="M19.8 14.5A8.3 8.3 0 0 1 9.5 4.2a8.3 8.3 0 1 0 10.3 10.3z"/>',
    "mail": '<rect x="3" y="5" width="18" height="14" rx="2"/><path d="m3.5 7 8.5 6.4L20.5 7"/>',
    "push": '<rect x="6.5" y="2.8" width="11" height="18.4" rx="2.4"/><path d="M10.5 18.2h3"/>',
    "bell": '<path d="M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15z"/><path d="M10.3 20.6a2 2 0 0 0 3.4 0"/>',
    "share": '<path d="M12 15V4m-3.8 3.6L12 3.8l3.8 3.8"/><path d="M6 11.5v8.7h12v-8.7"/>',
}
