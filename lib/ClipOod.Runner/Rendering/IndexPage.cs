using System.Globalization;
using ClipOod.Runner.Execution;

namespace ClipOod.Runner.Rendering;

/// <summary>The first page of a site: one card per notebook.</summary>
internal static class IndexPage
{
    /// <summary>The page as HTML.</summary>
    /// <param name="site">What the site holds.</param>
    /// <param name="world">The world whose notebooks are listed.</param>
    /// <param name="options">What the site says of itself.</param>
    /// <param name="atRoot">Whether the page lies in the folder of the site; otherwise in that of its world.</param>
    public static string ToHtml(SiteManifest site, SiteWorld world, SiteOptions options, bool atRoot)
    {
        string root = atRoot ? "" : "../", pages = atRoot ? $"{Uri.EscapeDataString(world.Folder)}/" : "";
        string body = $"""
            <main id="content">
            <header class="title">
            <h1>{Html.Text(options.Title)}</h1>
            {(options.Subtitle.Length == 0 ? "" : $"<p class=\"question\">{Html.Text(options.Subtitle)}</p>")}
            {(world.Name.Length == 0 ? "" : $"<p class=\"world\"><b>World {Html.Text(world.Name)}.</b> {Html.Text(world.Description)}</p>")}
            <p class="facts">{Summary([.. world.Plain])}</p>
            </header>
            <ol class="cards">
            {string.Concat(world.Plain.Select(page => Card(page, world, pages)))}</ol>
            </main>
            """;
        string bar = $"<span class=\"home\">{Html.Text(options.Title)}</span>{SiteLinks.WorldSwitch(site, world, root)}";
        return PageFrame.Page("index", options.Title, bar, body, root);
    }

    private static string Summary(IReadOnlyList<SitePage> pages)
    {
        SitePage[] run = [.. pages.Where(page => page.IsRun)];
        int notRun = pages.Count(page => page.State == RunState.NotRun);
        int passed = run.Count(page => page.State == RunState.Passed);
        RunState worst = run.Length == 0 ? RunState.NotRun
            : passed == run.Length ? RunState.Passed
            : run.Where(page => page.State != RunState.Passed).Min(page => page.State);
        string verdict = passed == run.Length && notRun == 0
            ? $"All {Html.Count(run.Length, "notebook")} passed"
            : string.Create(CultureInfo.InvariantCulture, $"{passed} of {Html.Count(run.Length, "notebook")} passed");
        return $"<span class=\"state {PageFrame.ClassOf(worst)}\">{verdict}</span>"
            + (notRun == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"<span>{notRun} not run yet</span>"))
            + (run.Sum(page => page.Results) == 0 ? "" : $"<span>{ResultsSection.Summary(run.Sum(page => page.ResultsMatching), run.Sum(page => page.Results))}</span>")
            + $"<span>{Html.Time(TimeSpan.FromSeconds(run.Sum(page => page.Seconds)))} of computing</span>";
    }

    private static string Card(SitePage page, SiteWorld world, string pages)
    {
        string question = page.Question.Length == 0 ? "" : $"<p class=\"question\">{Unlinked(PageFrame.Inline(page.Question))}</p>";
        string error = page.Error is null ? "" : $"<p class=\"card-error\">{Html.Text(page.Error)}</p>";
        string[] variants = [.. world.VariantsOf(page.Id)
            .Select(variant => $"<a href=\"{pages}{SiteLinks.Address(variant)}\">{Html.Text(SiteManifest.Describe(variant.Parameters))}</a>")];
        return $"""
            <li class="card {PageFrame.ClassOf(page.State)}">
            <span class="number" aria-hidden="true">{PageFrame.Number(page.Id)}</span>
            <h2><a href="{pages}{SiteLinks.Address(page)}">{Unlinked(PageFrame.Title(page.Id, page.Title))}</a></h2>
            {question}{error}
            <p class="facts">{PageFrame.State(page.State)}{(page.IsRun ? $"<span>{Html.Time(TimeSpan.FromSeconds(page.Seconds))}</span>" : "")}{(page.Results == 0 ? "" : $"<span>{ResultsSection.Summary(page.ResultsMatching, page.Results)}</span>")}</p>
            {(variants.Length == 0 ? "" : $"<p class=\"facts variants\"><span>Also run with</span>{string.Concat(variants)}</p>")}
            </li>

            """;
    }

    // The whole card is one link, and a link can hold no other.
    private static string Unlinked(string html)
    {
        AngleSharp.Dom.IElement root = HtmlFragment.Parse(html, "top").Root;
        foreach (AngleSharp.Dom.IElement link in root.QuerySelectorAll("a").ToArray())
        {
            link.Replace([.. link.ChildNodes]);
        }

        return root.InnerHtml;
    }
}
