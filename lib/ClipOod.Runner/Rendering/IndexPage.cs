using System.Globalization;
using ClipOod.Runner.Execution;

namespace ClipOod.Runner.Rendering;

/// <summary>The first page of a site: one card per notebook.</summary>
internal static class IndexPage
{
    /// <summary>The page as HTML.</summary>
    public static string ToHtml(IReadOnlyList<NotebookRun> runs, SiteOptions options)
    {
        string body = $"""
            <main id="content">
            <header class="title">
            <h1>{Html.Text(options.Title)}</h1>
            {(options.Subtitle.Length == 0 ? "" : $"<p class=\"question\">{Html.Text(options.Subtitle)}</p>")}
            <p class="facts">{Summary(runs)}</p>
            </header>
            <ol class="cards">
            {string.Concat(runs.Select(Card))}</ol>
            </main>
            """;
        return PageFrame.Page("index", options.Title, $"<span class=\"home\">{Html.Text(options.Title)}</span>", body);
    }

    private static string Summary(IReadOnlyList<NotebookRun> runs)
    {
        runs = [.. runs.Where(run => run.State != RunState.OtherWorld)];
        int passed = runs.Count(run => run.State == RunState.Passed);
        ResultCheck[] results = [.. runs.SelectMany(run => run.Results)];
        RunState worst = passed == runs.Count ? RunState.Passed : runs.Where(run => run.State != RunState.Passed).Min(run => run.State);
        string verdict = passed == runs.Count
            ? $"All {Html.Count(runs.Count, "notebook")} passed"
            : string.Create(CultureInfo.InvariantCulture, $"{passed} of {Html.Count(runs.Count, "notebook")} passed");
        return $"<span class=\"state {PageFrame.ClassOf(worst)}\">{verdict}</span>"
            + (results.Length == 0 ? "" : $"<span>{NotebookPage.ResultsSummary(results)}</span>")
            + $"<span>{Html.Time(TimeSpan.FromTicks(runs.Sum(run => run.Elapsed.Ticks)))} of computing</span>";
    }

    private static string Card(NotebookRun run)
    {
        CellRun? failed = run.Cells.FirstOrDefault(cell => cell.Error is not null);
        string question = run.Question.Length == 0 ? "" : $"<p class=\"question\">{Unlinked(PageFrame.Inline(run.Question))}</p>";
        string error = failed is null
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $"<p class=\"card-error\">Cell {failed.Number}: {Html.Text(failed.Error!.Message.Split('\n')[0])}</p>");
        return $"""
            <li class="card {PageFrame.ClassOf(run.State)}">
            <span class="number" aria-hidden="true">{PageFrame.Number(run)}</span>
            <h2><a href="{Uri.EscapeDataString(run.Id)}.html">{Unlinked(PageFrame.Title(run))}</a></h2>
            {question}{error}
            <p class="facts">{PageFrame.State(run.State)}<span>{Html.Time(run.Elapsed)}</span>{(run.Results.Count == 0 ? "" : $"<span>{NotebookPage.ResultsSummary(run.Results)}</span>")}</p>
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
