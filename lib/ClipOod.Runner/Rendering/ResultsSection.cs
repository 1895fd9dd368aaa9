using System.Globalization;
using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Rendering;

/// <summary>The end of a page: what the notebook declares, beside what is recorded here and in other worlds.</summary>
internal static class ResultsSection
{
    public const string Id = "declared-results";

    public const string Title = "What this page declares";

    /// <summary>The section; empty where nothing is declared.</summary>
    /// <param name="run">The run.</param>
    public static string ToHtml(NotebookRun run)
    {
        if (run.Results.Count == 0)
        {
            return "";
        }

        RecordedElsewhere[] worlds = [.. run.Elsewhere.Where(world => world.Problem is null)];
        string heads = string.Concat(worlds.Select(world => $"<th>Recorded in {Html.Text(world.World)}</th><th>Beside this run</th>"));
        string rows = string.Concat(run.Results.Select(result => Row(result, worlds)));
        return $"""
            <section class="results" id="{Id}">
            <h2>{Title}</h2>
            {string.Concat(run.Elsewhere.Select(world => $"<p><b>Beside {Html.Text(world.World)}:</b> {Html.Text(string.Join(' ', Findings(run, world)))}</p>\n"))}<p>{Summary(run.Results)}. A run fails when a value is further from the recorded one than its tolerance, or when a verdict is another.</p>
            <details><summary>{Html.Count(run.Results.Count, "declared result")}, value by value</summary>
            <div class="scroll" tabindex="0"><table><thead><tr><th>Result</th><th>This run</th><th>Tolerance</th><th>Check</th>{heads}</tr></thead><tbody>
            {rows}</tbody></table></div>
            </details>
            </section>

            """;
    }

    /// <summary>How many results are as recorded.</summary>
    public static string Summary(IReadOnlyList<ResultCheck> results) =>
        Summary(results.Count(result => result.State == CheckState.Matches), results.Count);

    /// <inheritdoc cref="Summary(IReadOnlyList{ResultCheck})"/>
    public static string Summary(int matching, int results) => matching == results
        ? $"{Html.Count(matching, "result")} as recorded"
        : string.Create(CultureInfo.InvariantCulture, $"{matching} of {Html.Count(results, "result")} as recorded");

    private static IEnumerable<string> Findings(NotebookRun run, RecordedElsewhere world) =>
        world.Findings([.. run.Results.Select(result => result.Declared).OfType<DeclaredResult>()])
            .Concat(run.Parameters.Count > 0 ? ["Recorded are runs without parameters; this one has some."] : []);

    private static string Row(ResultCheck result, IEnumerable<RecordedElsewhere> worlds) => $"""
        <tr class="{result.State.ToString().ToLowerInvariant()}"><td>{Html.Text(result.Key)}</td><td>{Html.Text(result.Declared?.Show("G6") ?? "–")}</td><td>{result.Tolerance.ToString("G6", CultureInfo.InvariantCulture)}</td><td>{Check(result)}</td>{string.Concat(worlds.Select(world => Beside(result, world)))}</tr>

        """;

    private static string Beside(ResultCheck result, RecordedElsewhere world) => world.Results.TryGetValue(result.Key, out DeclaredResult? there)
        ? $"<td>{Html.Text(there.Show("G6"))}</td><td>{Html.Text(result.Declared?.Beside(there) ?? "–")}</td>"
        : "<td>not recorded</td><td>–</td>";

    private static string Check(ResultCheck result)
    {
        string recorded = Html.Text(result.Recorded?.Show("G6") ?? "");
        (string name, string sign, string words) = result.State switch
        {
            CheckState.Matches => ("good", "✓", "matches"),
            CheckState.Differs => ("bad", "✕", $"differs from {recorded}"),
            CheckState.New => ("idle", "+", "not recorded"),
            _ => ("bad", "✕", $"missing, recorded is {recorded}"),
        };
        return $"<span class=\"state {name}\"><span aria-hidden=\"true\">{sign}</span> {words}</span>";
    }
}
