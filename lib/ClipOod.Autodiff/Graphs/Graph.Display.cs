using System.Globalization;
using System.Net;
using System.Text;

namespace ClipOod.Autodiff;

/// <content>Showing the graph.</content>
public sealed partial class Graph
{
    // A notebook shows this many rows of a table; the rest folds away.
    private const int ShownRows = 12;

    /// <summary>Number of parameters: of elements of all its weights.</summary>
    public long ParameterCount => _weights.Sum(weight => weight.Count);

    /// <summary>The graph as text: inputs, weights with their counts, and every node with its shapes.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        text.AppendLine(Headline());
        foreach ((string title, string[] columns, List<string[]> rows) in Tables())
        {
            int[] widths = [.. columns.Select((column, i) => rows.Append(columns).Max(row => row[i].Length))];
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{title} ({rows.Count})");
            foreach (string[] row in rows.Prepend(columns))
            {
                text.AppendLine(("  " + string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i])))).TrimEnd());
            }
        }

        return text.ToString();
    }

    /// <summary>The graph as tables in HTML: inputs, weights with their counts, operators, and every node.</summary>
    public string ToHtml()
    {
        StringBuilder html = new();
        html.Append(CultureInfo.InvariantCulture, $"<p>{Encode(Headline())}</p>");
        foreach ((string title, string[] columns, List<string[]> rows) in Tables())
        {
            html.Append(CultureInfo.InvariantCulture, $"<details{(rows.Count <= ShownRows ? " open" : "")}><summary>{Encode(title)} ({rows.Count})</summary><table><thead><tr>")
                .AppendJoin("", columns.Select(column => $"<th>{Encode(column)}</th>"))
                .Append("</tr></thead><tbody>");
            foreach (string[] row in rows)
            {
                html.Append("<tr>").AppendJoin("", row.Select(cell => $"<td>{Encode(cell)}</td>")).Append("</tr>");
            }

            html.Append("</tbody></table></details>");
        }

        return html.ToString();
    }

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private string Headline()
    {
        long trainable = _weights.Where(weight => weight.Trainable).Sum(weight => weight.Count);
        return $"Graph '{Name}' ({Type}): {Number(_nodes.Count)} nodes, {Number(ParameterCount)} parameters, {Number(trainable)} of them trainable";
    }

    private IEnumerable<(string Title, string[] Columns, List<string[]> Rows)> Tables()
    {
        yield return ("Inputs", ["name", "type", "shape"], [.. _inputs.Select(input => new[] { input.Name, $"{input.Type}", $"{input.Shape}" })]);
        yield return ("Weights", ["name", "shape", "count", "trainable"],
            [.. _weights.Select(p => new[] { p.Name, $"{p.Shape}", Number(p.Count), p.Trainable ? "yes" : "frozen" })]);
        yield return ("Operators", ["operator", "nodes"],
            [.. _nodes.CountBy(node => node.Operation).OrderByDescending(o => o.Value).ThenBy(o => o.Key, StringComparer.Ordinal).Select(o => new[] { o.Key, Number(o.Value) })]);
        yield return ("Nodes", ["result", "operator", "shape", "from"],
            [.. _nodes.Select(node => new[] { node.Outputs[0].Name, node.Operation, $"{node.Outputs[0].Shape}", string.Join(", ", node.Inputs.Select(input => input.Name)) })]);
    }
}
