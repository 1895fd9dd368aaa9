using ClipOod.Runner.Documents;
using ClipOod.Runner.Execution;

namespace ClipOod.Runner.Rendering;

/// <summary>
/// Writes a notebook as a <c>.dib</c> that Verso imports: it takes a relative <c>#r</c> from nowhere, sets no TeX, and has no page that
/// a link to a notebook could lead to.
/// </summary>
internal static class VersoExporter
{
    /// <summary>The notebook as text.</summary>
    /// <param name="notebook">The notebook; each formula can be set (<see cref="MarkdownRenderer.Validate"/>).</param>
    public static string ToText(NotebookFile notebook)
    {
        string folder = Path.GetDirectoryName(notebook.Path)!;
        return new DibDocument(
            notebook.Document.Cells.Select(cell => cell with
            {
                Source = cell.Kernel == "markdown"
                    ? FormulaMarkup.InMarkdown(CellsElsewhere.NameLinks(cell.Source))
                    : CellsElsewhere.ResolveReferences(cell.Source, folder),
            }),
            notebook.Document.Metadata).ToText();
    }
}
