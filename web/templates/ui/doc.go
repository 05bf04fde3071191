// Package ui is the design system: every part a page is made of, as a templ component with a plain struct of parameters.
//
// Colour means state and nothing else, always with an icon and a word (Tone). A page has one Primary button, in its
// Header. Every text comes in translated; the components translate only their own words ("optional", "copied").
//
//	@ui.Header(ui.HeaderView{Title: v.Name, Meta: []string{v.Type, v.City}, Actions: []ui.Btn{
//		{Label: i18n.T(ctx, "batches.export"), Icon: "download", Href: v.ExportURL},
//		{Label: i18n.T(ctx, "batches.submit", "n", v.Ready), Kind: ui.Primary, Dialog: "submit"},
//	}})
//	@ui.Body() {
//		@ui.Panel(ui.PanelView{Title: i18n.T(ctx, "batches.progress")}) {
//			@ui.KV([]ui.Fact{{Label: …, Value: …}})
//		}
//	}
//
// Behaviour is attached by attributes, never by inline script, and everything that is a form works without it:
//
//	data-href="/orders/…"       on a table row: click, Enter and j/k open it (with htmx attributes on its link: in the side panel)
//	data-dialog="id"            opens the <dialog id>; data-close closes the one around it
//	data-copy="text"            copies
//	data-key="g"                the key that presses this link or button
//	data-confirm-name="三(2)班" on a form: its submit button waits until the name is typed
//
// Server to page: ui.ToastHeader in HX-Trigger shows a toast; ui.OOB swaps a second element; a 422 answer swaps like a
// 200 one, so that a form can come back with its errors.
//
// Icons are Lucide's, by name; `npm run icons` collects the names found in web/templates, `npm run css` the classes.
package ui
