using System.Globalization;

namespace ClipOod.Notebook;

/// <summary>The upper left corner of a matrix of numbers as a table, for matrices to be looked at.</summary>
internal static class ValuesTable
{
    private const int MostRows = 8;
    private const int MostColumns = 8;

    /// <summary>The first rows and columns; a note counts the rest.</summary>
    /// <param name="kind">What it is, such as "Matrix".</param>
    /// <param name="rows">Rows of the matrix.</param>
    /// <param name="columns">Columns of the matrix.</param>
    /// <param name="value">The value at a row and a column.</param>
    public static ResultTable Of(string kind, int rows, int columns, Func<int, int, double> value)
    {
        int shownRows = Math.Min(rows, MostRows), shownColumns = Math.Min(columns, MostColumns);
        ResultTable table = new ResultTable(string.Create(CultureInfo.InvariantCulture, $"{kind}, {rows:N0} × {columns:N0} values"))
            .Count("row", Enumerable.Range(0, shownRows));
        for (int column = 0; column < shownColumns; column++)
        {
            int j = column;
            table = table.Number(j.ToString(CultureInfo.InvariantCulture), Enumerable.Range(0, shownRows).Select(i => value(i, j)));
        }

        return shownRows == rows && shownColumns == columns
            ? table
            : table.Note($"The first {shownRows} rows and {shownColumns} columns.");
    }
}
