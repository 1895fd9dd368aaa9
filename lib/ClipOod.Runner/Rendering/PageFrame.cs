using AngleSharp.Dom;
using ClipOod.Runner.Execution;

namespace ClipOod.Runner.Rendering;

/// <summary>What all pages of a site have in common: head, bar, tools and the words for states.</summary>
internal static class PageFrame
{
    /// <summary>A whole page.</summary>
    /// <param name="kind">Names the page to the style sheet: <c>index</c> or <c>notebook</c>.</param>
    /// <param name="title">Title of the window, as text.</param>
    /// <param name="bar">HTML for the left of the bar.</param>
    /// <param name="body">HTML under the bar.</param>
    /// <param name="root">From the page to the folder that holds the assets: empty, or ending in <c>/</c>.</param>
    public static string Page(string kind, string title, string bar, string body, string root = "") => $"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>{Html.Text(title)}</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="{root}assets/site.css">
        {(PlotlyScript.IsUsedBy(body) ? $"<script src=\"{root}assets/plotly.min.js\"></script>\n" : "")}<script src="{root}assets/site.js"></script>
        </head>
        <body class="{kind}" id="top">
        <a class="skip" href="#content">Skip to the content</a>
        <header class="bar">
        <nav class="trail" aria-label="Site">{bar}</nav>
        <div class="tools">
        {(kind == "notebook" ? Tool("code", "Code", "Show or hide all code (c)", "<path d=\"M8.5 7 4 12l4.5 5M15.5 7l4.5 5-4.5 5\"/>") : "")}
        {Tool("size", "Size", "Larger type, for a projector (p)", "<path d=\"M3 18 7.5 6 12 18M4.6 14h5.8M14 18l3.2-8.5L20.5 18M15.1 15.2h4.3\"/>")}
        {Tool("theme", "Theme", "Light or dark (t)", "<circle cx=\"12\" cy=\"12\" r=\"7.5\"/><path class=\"fill\" d=\"M12 4.5a7.5 7.5 0 0 1 0 15z\"/>")}
        </div>
        </header>
        {body}
        </body>
        </html>

        """;

    /// <summary>A page of a site's root as one file, which can be sent on: with all that it links inside it.</summary>
    /// <param name="page">A page by <see cref="Page"/>, its charts as they are shown outside of a site.</param>
    /// <param name="plotlyLoader">What each chart brings along there, kept once.</param>
    public static string SingleFile(string page, string plotlyLoader) => page
        .Replace(plotlyLoader, "", StringComparison.Ordinal)
        .Replace("<script src=\"assets/plotly.min.js\"></script>\n", plotlyLoader, StringComparison.Ordinal)
        .Replace("<link rel=\"stylesheet\" href=\"assets/site.css\">", $"<style>\n{SiteWriter.Asset("site.css")}</style>", StringComparison.Ordinal)
        .Replace("<script src=\"assets/site.js\"></script>", $"<script>\n{SiteWriter.Asset("site.js")}</script>", StringComparison.Ordinal);

    /// <summary>A state as a word with a sign, so that it does not depend on its colour.</summary>
    public static string State(RunState state)
    {
        (string sign, string word) = state switch
        {
            RunState.Passed => ("✓", "Passed"),
            RunState.Failed => ("✕", "Failed"),
            RunState.TimedOut => ("◷", "Timed out"),
            RunState.Cancelled => ("■", "Cancelled"),
            RunState.OtherWorld => ("–", "For another world"),
            _ => ("–", "Not run"),
        };
        return $"<span class=\"state {ClassOf(state)}\"><span aria-hidden=\"true\">{sign}</span> {word}</span>";
    }

    /// <summary>The style sheet's name of a state.</summary>
    public static string ClassOf(RunState state) => state switch
    {
        RunState.Passed => "good",
        RunState.Failed or RunState.TimedOut => "bad",
        _ => "idle",
    };

    /// <summary>The number that a notebook's id starts with; empty where there is none.</summary>
    public static string Number(string id)
    {
        int end = 0;
        while (end < id.Length && char.IsAsciiDigit(id[end]))
        {
            end++;
        }

        return id[..end];
    }

    /// <summary>A notebook's title as inline HTML, without the number that stands beside it.</summary>
    public static string Title(string id, string title)
    {
        string number = Number(id);
        title = title.Trim();
        if (number.Length > 0 && title.StartsWith(number, StringComparison.Ordinal))
        {
            string rest = title[number.Length..].TrimStart(' ', '·', '.', ':', '-', '–', '—');
            title = rest.Length > 0 ? rest : title;
        }

        return Inline(title);
    }

    /// <summary>One line of markdown as inline HTML.</summary>
    public static string Inline(string markdown)
    {
        IElement root = HtmlFragment.Parse(MarkdownRenderer.ToHtml(markdown, withRawHtml: false), "top").Root;
        return root.ChildElementCount == 1 ? root.FirstElementChild!.InnerHtml : Html.Text(markdown);
    }

    /// <summary>The text of a piece of inline HTML.</summary>
    public static string PlainText(string html) => HtmlFragment.Parse(html, "top").Root.TextContent;

    private static string Tool(string action, string label, string hint, string icon) =>
        $"<button type=\"button\" data-action=\"{action}\" title=\"{hint}\" aria-label=\"{hint}\">"
        + $"<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">{icon}</svg><span>{label}</span></button>";
}
