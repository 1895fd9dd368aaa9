using System.Globalization;
using System.Text;
using ClipOod.Autodiff;
using Microsoft.Data.Analysis;

namespace ClipOod.Notebook;

/// <summary>
/// A table of results, shown in a notebook as HTML and elsewhere as aligned text. It is built column by column and never
/// changed: each method returns a table with one column, or one note, more.
/// <code>
/// new ResultTable("DTD against CIFAR-10")
///     .Text("Score", names)
///     .Percent("AUROC ↑", aurocs, Best.Highest)
/// </code>
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class ResultTable
{
    private readonly Column[] _columns;

    /// <summary>A table without columns yet.</summary>
    /// <param name="title">What the table shows.</param>
    public ResultTable(string title)
        : this(title, [], [])
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(title);
    }

    private ResultTable(string title, Column[] columns, IReadOnlyList<string> notes)
    {
        Title = title;
        _columns = columns;
        Notes = notes;
    }

    /// <summary>What the table shows.</summary>
    public string Title { get; }

    /// <summary>What is said under the table.</summary>
    internal IReadOnlyList<string> Notes { get; }

    /// <summary>Number of rows.</summary>
    public int Rows => _columns.Length == 0 ? 0 : (int)_columns[0].Data.Length;

    /// <summary>The values, unformatted; a missing number is null there. A new frame each time.</summary>
    public DataFrame DataFrame => new(_columns.Select(column => column.Data.Clone()));

    /// <summary>Writes the values as comma-separated text with a heading line; the file appears under its name when it is complete.</summary>
    /// <param name="path">The file; its folder is made, and a file of this name replaced.</param>
    public void SaveCsv(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        AtomicFile.Write(path, temporary => DataFrame.SaveCsv(DataFrame, temporary, cultureInfo: CultureInfo.InvariantCulture));
    }

    /// <summary>The table with a column of text.</summary>
    /// <param name="name">Header; unlike those before it.</param>
    /// <param name="values">One text per row; null is shown as missing.</param>
    /// <exception cref="ArgumentException">The number of rows differs from the columns before, or the header repeats.</exception>
    public ResultTable Text(string name, IEnumerable<string?> values) =>
        With(new Column(new StringDataFrameColumn(name, values), ColumnFormat.Text, Best.None, Numbers.Missing));

    /// <summary>The table with a column of counts.</summary>
    /// <param name="name">Header; unlike those before it.</param>
    /// <param name="values">One count per row.</param>
    /// <param name="best">Which value is printed bold.</param>
    /// <exception cref="ArgumentException">The number of rows differs from the columns before, or the header repeats.</exception>
    public ResultTable Count(string name, IEnumerable<int> values, Best best = Best.None) =>
        With(new Column(new Int32DataFrameColumn(name, values), ColumnFormat.Count, best, Numbers.Missing));

    /// <summary>The table with a column of fractions of 1, shown as percentages with two decimals, as the papers print them.</summary>
    /// <param name="name">Header; unlike those before it.</param>
    /// <param name="values">One fraction per row; NaN is missing.</param>
    /// <param name="best">Which value is printed bold.</param>
    /// <exception cref="ArgumentException">The number of rows differs from the columns before, or the header repeats.</exception>
    public ResultTable Percent(string name, IEnumerable<double> values, Best best = Best.None) =>
        Numeric(name, values, ColumnFormat.Percent, best);

    /// <summary>The table with a column of numbers.</summary>
    /// <param name="name">Header; unlike those before it.</param>
    /// <param name="values">One number per row; NaN is missing.</param>
    /// <param name="best">Which value is printed bold.</param>
    /// <exception cref="ArgumentException">The number of rows differs from the columns before, or the header repeats.</exception>
    public ResultTable Number(string name, IEnumerable<double> values, Best best = Best.None) =>
        Numeric(name, values, ColumnFormat.Number, best);

    /// <summary>The table with a note under it.</summary>
    /// <param name="text">One or two sentences: the convention, what was reduced, where the numbers come from.</param>
    public ResultTable Note(string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        return new ResultTable(Title, _columns, [.. Notes, text]);
    }

    /// <summary>
    /// A table from rows of mixed values. The first row decides a column's kind: whole numbers are counts, other numbers
    /// numbers, the rest text.
    /// </summary>
    /// <param name="title">What the table shows.</param>
    /// <param name="columns">The headers.</param>
    /// <param name="rows">Rows of as many values as there are headers.</param>
    /// <exception cref="ArgumentException">A row has not as many values as there are headers, or there is no row.</exception>
    public static ResultTable FromRows(string title, IReadOnlyList<string> columns, params object?[][] rows)
    {
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Length == 0)
        {
            throw new ArgumentException("Got no rows, expected at least one.", nameof(rows));
        }

        int wrong = Array.FindIndex(rows, row => row.Length != columns.Count);
        if (wrong >= 0)
        {
            throw new ArgumentException(
                $"Row {wrong} has {rows[wrong].Length} values, expected {columns.Count}, one per header.", nameof(rows));
        }

        var table = new ResultTable(title);
        for (int j = 0; j < columns.Count; j++)
        {
            object?[] values = [.. rows.Select(row => row[j])];
            table = values[0] switch
            {
                int => table.Count(columns[j], values.Select(v => Convert.ToInt32(v, CultureInfo.InvariantCulture))),
                double or float => table.Number(columns[j], values.Select(v => v is null ? double.NaN : Convert.ToDouble(v, CultureInfo.InvariantCulture))),
                _ => table.Text(columns[j], values.Select(TextOf)),
            };
        }

        return table;
    }

    /// <summary>Shows a data frame: whole numbers as counts, other numbers as numbers, the rest as text.</summary>
    /// <param name="frame">At least one column.</param>
    /// <param name="title">What the table shows.</param>
    public static ResultTable FromDataFrame(DataFrame frame, string title)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var table = new ResultTable(title);
        foreach (DataFrameColumn column in frame.Columns)
        {
            bool integral = column is PrimitiveDataFrameColumn<int> or PrimitiveDataFrameColumn<long>
                or PrimitiveDataFrameColumn<short> or PrimitiveDataFrameColumn<byte>;
            table = column.IsNumericColumn()
                ? table.With(new Column(column.Clone(), integral ? ColumnFormat.Count : ColumnFormat.Number, Best.None, Numbers.Missing))
                : table.Text(column.Name, Enumerable.Range(0, (int)column.Length)
                    .Select(i => TextOf(column[i])));
        }

        return table;
    }

    /// <summary>
    /// A document's numbers beside ours: label, paper, ours, ours − paper, and why they differ. A number the document
    /// does not give is shown as "not published", one that was not computed as "not run".
    /// </summary>
    /// <param name="title">What the table shows and which document it is from.</param>
    /// <param name="quantity">The quantity with its convention, for the headers: "FPR95 (nearest recall)".</param>
    /// <param name="rows">One tuple per line; the values are fractions of 1 when <paramref name="percent"/>.</param>
    /// <param name="percent">Whether the values are fractions of 1 to be shown as percentages.</param>
    /// <exception cref="ArgumentException">There is no row.</exception>
    public static ResultTable PaperVsOurs(
        string title,
        string quantity,
        IReadOnlyList<(string Label, double? Paper, double? Ours, string Why)> rows,
        bool percent = true)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(quantity);
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Count == 0)
        {
            throw new ArgumentException("Got no rows, expected at least one.", nameof(rows));
        }

        (ColumnFormat value, ColumnFormat difference) = percent
            ? (ColumnFormat.Percent, ColumnFormat.SignedPoints)
            : (ColumnFormat.Number, ColumnFormat.SignedNumber);
        return new ResultTable(title)
            .Text("Setting", rows.Select(row => row.Label))
            .Numeric($"Paper: {quantity}", rows.Select(row => row.Paper ?? double.NaN), value, Best.None, "not published")
            .Numeric($"Ours: {quantity}", rows.Select(row => row.Ours ?? double.NaN), value, Best.None, "not run")
            .Numeric("Ours − paper", rows.Select(row => row.Ours - row.Paper ?? double.NaN), difference, Best.None)
            .Text("Why they differ", rows.Select(row => row.Why));
    }

    /// <summary>The table as an HTML fragment; every text is escaped, and a wide table scrolls within itself.</summary>
    public string ToHtml()
    {
        string[][] cells = Cells();
        bool[][] best = BestCells(cells);
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<div class=\"clipood\"><p class=\"title\">{Html.Escape(Title)}</p>");
        AppendGrid(html, cells, best);
        foreach (string note in NotesWithBest(best, "Bold: the best of its column."))
        {
            html.Append(CultureInfo.InvariantCulture, $"<p class=\"note\">{Html.Escape(note)}</p>");
        }

        return Html.Output(html.Append("</div>\n").ToString());
    }

    /// <summary>The table as aligned text; the best value of a column is marked with a star.</summary>
    public override string ToString()
    {
        string[][] cells = Cells();
        bool[][] best = BestCells(cells);
        var text = new StringBuilder();
        text.Append(Title).Append('\n');
        for (int j = 0; j < _columns.Length; j++)
        {
            for (int i = 0; i < Rows; i++)
            {
                cells[j][i] += best[j][i] ? "*" : best[j].Contains(true) ? " " : "";
            }
        }

        int[] widths = [.. _columns.Select((column, j) => cells[j].Append(column.Data.Name).Max(cell => cell.Length))];
        AppendLine(j => _columns[j].Data.Name);
        AppendLine(j => new string('-', widths[j]));
        for (int i = 0; i < Rows; i++)
        {
            AppendLine(j => cells[j][i]);
        }

        foreach (string note in NotesWithBest(best, "* the best of its column."))
        {
            text.Append(note).Append('\n');
        }

        return text.ToString();

        void AppendLine(Func<int, string> cell)
        {
            IEnumerable<string> padded = _columns.Select((column, j) =>
                column.Format == ColumnFormat.Text ? cell(j).PadRight(widths[j]) : cell(j).PadLeft(widths[j]));
            text.Append(string.Join("  ", padded).TrimEnd()).Append('\n');
        }
    }

    /// <summary>Only the table element within its scrolling box, for a chart's numbers.</summary>
    internal void AppendGrid(StringBuilder html)
    {
        string[][] cells = Cells();
        AppendGrid(html, cells, BestCells(cells));
    }

    /// <summary>Whether a column of this header is there; data frames do not tell upper from lower case.</summary>
    internal bool Has(string name) => _columns.Any(column => string.Equals(column.Data.Name, name, StringComparison.OrdinalIgnoreCase));

    internal ResultTable Numeric(
        string name, IEnumerable<double> values, ColumnFormat format, Best best = Best.None, string missing = Numbers.Missing) =>
        With(new Column(
            new DoubleDataFrameColumn(name, values.Select(v => double.IsNaN(v) ? (double?)null : v)), format, best, missing));

    private void AppendGrid(StringBuilder html, string[][] cells, bool[][] best)
    {
        // A box that scrolls must be reachable by keyboard.
        html.Append("<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>");
        string[] classes = [.. _columns.Select(column => column.HtmlClass)];
        for (int j = 0; j < _columns.Length; j++)
        {
            string name = _columns[j].Data.Name;
            string header = name.Length > 14 ? classes[j] : classes[j].Replace("num", "num short", StringComparison.Ordinal);

            // The arrow that tells which way is better stays on the line of the word before it.
            string text = Html.Escape(name).Replace(" ↑", "&nbsp;↑", StringComparison.Ordinal).Replace(" ↓", "&nbsp;↓", StringComparison.Ordinal);
            html.Append(CultureInfo.InvariantCulture, $"<th scope=\"col\"{header}>{text}</th>");
        }

        html.Append("</tr></thead><tbody>\n");
        for (int i = 0; i < Rows; i++)
        {
            html.Append("<tr>");
            for (int j = 0; j < _columns.Length; j++)
            {
                string element = j == 0 && _columns[j].Format == ColumnFormat.Text ? "th scope=\"row\"" : "td";
                string cell = Html.Escape(cells[j][i]);
                cell = best[j][i] ? $"<strong>{cell}</strong>" : cell;
                html.Append(CultureInfo.InvariantCulture, $"<{element}{classes[j]}>{cell}</{element[..2]}>");
            }

            html.Append("</tr>\n");
        }

        html.Append("</tbody></table></div>");
    }

    private static string? TextOf(object? value) => value is null ? null : Convert.ToString(value, CultureInfo.InvariantCulture);

    private string[][] Cells() => [.. _columns.Select(column => column.Write())];

    // What reads the same is equally good: the table does not prefer one of two equal texts.
    private bool[][] BestCells(string[][] cells)
    {
        return [.. _columns.Select((column, j) =>
        {
            int best = column.BestRow();
            return cells[j].Select(cell => best >= 0 && cell == cells[j][best]).ToArray();
        })];
    }

    private IEnumerable<string> NotesWithBest(bool[][] best, string note) =>
        best.Any(column => column.Contains(true)) ? Notes.Append(note) : Notes;

    private ResultTable With(Column column)
    {
        string name = column.Data.Name;
        if (_columns.Length > 0 && column.Data.Length != Rows)
        {
            throw new ArgumentException(
                $"Column '{name}' has {column.Data.Length} values, expected {Rows} as in '{_columns[0].Data.Name}'.", nameof(column));
        }

        if (Has(name))
        {
            throw new ArgumentException($"Column '{name}' is in the table already; give it another header.", nameof(column));
        }

        return new ResultTable(Title, [.. _columns, column], Notes);
    }

    private sealed record Column(DataFrameColumn Data, ColumnFormat Format, Best Best, string Missing)
    {
        // On a phone a table scrolls rather than breaking its text into a word per line.
        public string HtmlClass => Format != ColumnFormat.Text ? " class=\"num\""
            : Write().All(cell => cell.Length <= 28) ? " class=\"short\"" : " class=\"long\"";

        public string[] Write()
        {
            if (Format == ColumnFormat.Text)
            {
                return [.. Values().Select(value => value as string ?? Missing)];
            }

            double[] values = Doubles();
            double largest = values.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max();
            return [.. values.Select(value => Numbers.Write(value, Format, largest, Missing))];
        }

        public int BestRow()
        {
            if (Best == Best.None)
            {
                return -1;
            }

            double[] values = Doubles();
            int[] present = [.. Enumerable.Range(0, values.Length).Where(i => !double.IsNaN(values[i]))];
            return present.Length == 0 ? -1
                : Best == Best.Highest ? present.MaxBy(i => values[i]) : present.MinBy(i => values[i]);
        }

        private double[] Doubles() =>
            [.. Values().Select(value => value is null ? double.NaN : Convert.ToDouble(value, CultureInfo.InvariantCulture))];

        private IEnumerable<object?> Values() => Enumerable.Range(0, (int)Data.Length).Select(i => Data[i]);
    }
}
