"""The workbench in the browser and the engine over HTTP: `tagger serve`.

`app.create_app` puts the parts together: `security` guards every request, `api` answers programs, `pages` answers people, and
`review` holds what people decide. Everything runs offline: no page names an asset of another server.
"""
