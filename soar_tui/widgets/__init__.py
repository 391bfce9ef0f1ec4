"""The app's widgets: values in, messages out.

A widget is given frozen values by its screen, draws them and posts messages; it knows no
archive, no path and no engine. Strings that are not ours go through `soar_tui.sanitise`.
"""
