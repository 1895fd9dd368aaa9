using ClipOod.Runner.Execution;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Rendering;

/// <summary>What a reader can turn in a notebook, as a folded table near the end of its page.</summary>
internal static class ParametersSection
{
    public const string Id = "parameters";

    public const string Title = "What you can turn";

    /// <summary>The section; empty where the notebook declares no parameter.</summary>
    /// <param name="run">The run.</param>
    public static string ToHtml(NotebookRun run)
    {
        if (run.Declared.Count == 0)
        {
            return "";
        }

        string rows = string.Concat(run.Declared.Select(parameter => Row(parameter, run)));
        DeclaredParameter first = run.Declared[0];
        return $"""
            <section class="results parameters" id="{Id}">
            <h2>{Title}</h2>
            <p><code>clipood run --only {Html.Text(PageFrame.Number(run.Id) is { Length: > 0 } number ? number : run.Id)} --param {Html.Text(first.Name)}={Html.Text(first.Default.Contains(' ', StringComparison.Ordinal) ? $"\"{first.Default}\"" : first.Default)}</code> makes a page of its own beside this one.</p>
            <details><summary>{Html.Count(run.Declared.Count, "parameter")}</summary>
            <div class="scroll" tabindex="0"><table><thead><tr><th>Parameter</th><th>This run</th><th>Default</th><th>Allowed</th><th>What it does</th></tr></thead><tbody>
            {rows}</tbody></table></div>
            </details>
            </section>

            """;
    }

    private static string Row(DeclaredParameter parameter, NotebookRun run) => $"""
        <tr><td><code>{Html.Text(parameter.Name)}</code></td><td>{Html.Text(run.Parameters.GetValueOrDefault(parameter.Name, parameter.Default))}</td><td>{Html.Text(parameter.Default)}</td><td>{Html.Text(parameter.Allowed)}</td><td>{Html.Text(parameter.Help)}</td></tr>

        """;
}
