using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using Microsoft.Data.Analysis;

namespace ClipOod.Notebook.Tests.Display;

public sealed class ResultTableTests
{
    private static readonly ResultTable _scores = new ResultTable("Scores")
        .Text("Score", ["MSP", "MCM", "energy"])
        .Percent("AUROC ↑", [0.9123, 0.9349, 0.93488], Best.Highest)
        .Number("ECE ↓", [0.0123, double.NaN, 0.5], Best.Lowest)
        .Count("n", [500, 1880, 3]);

    [Fact]
    public void ToString_AlignsColumnsAndMarksTheBest() =>
        Assert.Equal(
            """
            Scores
            Score    AUROC ↑    ECE ↓      n
            ------  --------  -------  -----
            MSP     91.23 %   0.0123*    500
            MCM     93.49 %*       –   1,880
            energy  93.49 %*  0.5000       3
            * the best of its column.

            """,
            _scores.ToString());

    [Fact]
    public void ToHtml_MarksTheBestAndRightAlignsNumbers()
    {
        IElement table = Parse(_scores);
        Assert.Equal(["0.0123", "93.49 %", "93.49 %"], table.QuerySelectorAll("strong").Select(e => e.TextContent));
        Assert.Equal(9, table.QuerySelectorAll("tbody td.num").Length);
        Assert.Equal(["MSP", "MCM", "energy"], table.QuerySelectorAll("tbody th[scope=row]").Select(e => e.TextContent));
    }

    [Fact]
    public void ToHtml_EscapesEveryText()
    {
        const string Evil = "<script>alert('x')</script> & \"";
        ResultTable table = new ResultTable(Evil).Text(Evil, [Evil]).Note(Evil);
        IElement html = Parse(table);
        Assert.Empty(html.QuerySelectorAll("script"));
        Assert.Equal(Evil, html.QuerySelector(".title")!.TextContent);
        Assert.Equal(Evil, html.QuerySelector("thead th")!.TextContent);
        Assert.Equal(Evil, html.QuerySelector("tbody th")!.TextContent);
        Assert.Equal(Evil, html.QuerySelector(".note")!.TextContent);
    }

    [Fact]
    public void PaperVsOurs_ShowsDifferencesAndWhatIsMissing()
    {
        ResultTable table = ResultTable.PaperVsOurs(
            "Table 1", "AUROC", [("A", 0.912, 0.934, "fewer images"), ("B", null, 0.5, ""), ("C", 0.8, null, ""), ("D", 0.5, 0.49, "")]);
        Assert.Equal(["Setting", "Paper: AUROC", "Ours: AUROC", "Ours − paper", "Why they differ"], Cells(table, "thead th"));
        Assert.Equal(
            ["A", "91.20 %", "93.40 %", "+2.20 pt", "fewer images", "B", "not published", "50.00 %", "–", "", "C", "80.00 %", "not run", "–", "", "D", "50.00 %", "49.00 %", "−1.00 pt", ""],
            Cells(table, "tbody th, tbody td"));
    }

    [Fact]
    public void PaperVsOurs_OfNumbers_WritesSignedDifferences()
    {
        ResultTable table = ResultTable.PaperVsOurs("Table 1", "ECE", [("A", 0.02, 0.0325, "")], percent: false);
        Assert.Equal(["A", "0.0200", "0.0325", "+0.0125", ""], Cells(table, "tbody th, tbody td"));
    }

    [Fact]
    public void DataFrame_HoldsTheValuesUnformatted()
    {
        DataFrame frame = _scores.DataFrame;
        Assert.Equal(["Score", "AUROC ↑", "ECE ↓", "n"], frame.Columns.Select(column => column.Name));
        Assert.Equal(0.9123, frame["AUROC ↑"][0]);
        Assert.Null(frame["ECE ↓"][1]);
        Assert.Equal(1880, frame["n"][1]);
    }

    [Fact]
    public void FromDataFrame_ShowsEachKindOfColumn()
    {
        var frame = new DataFrame(
            new StringDataFrameColumn("name", ["a", null]), new DoubleDataFrameColumn("x", [0.5, 12.25]),
            new Int64DataFrameColumn("k", [1000L, 2L]), new BooleanDataFrameColumn("ok", [true, false]));
        Assert.Equal(
            ["a", "0.50", "1,000", "True", "–", "12.25", "2", "False"],
            Cells(ResultTable.FromDataFrame(frame, "frame"), "tbody th, tbody td"));
    }

    [Fact]
    public void FromRows_DecidesAColumnsKindByTheFirstRow()
    {
        ResultTable table = ResultTable.FromRows("toy", ["image", "p", "n"], ["cat", 0.25, 1], ["dog", null, 2000]);
        Assert.Equal(["cat", "0.2500", "1", "dog", "–", "2,000"], Cells(table, "tbody th, tbody td"));
    }

    [Fact]
    public void FromRows_WhenARowIsShort_NamesIt()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => ResultTable.FromRows("t", ["a", "b"], [1, 2], [1]));
        Assert.Contains("Row 1 has 1 values, expected 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Column_OfAnotherLength_NamesBoth()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => _scores.Number("x", [1.0]));
        Assert.Contains("Column 'x' has 1 values, expected 3 as in 'Score'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Column_WhoseHeaderIsThere_IsRefused()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => _scores.Text("score", ["a", "b", "c"]));
        Assert.Contains("'score' is in the table already", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(double.PositiveInfinity, "∞")]
    [InlineData(double.NegativeInfinity, "−∞")]
    [InlineData(-0.25, "−0.2500")]
    [InlineData(123.456, "123.5")]
    [InlineData(12345.6, "12346")]
    [InlineData(0.00012, "1.2e−4")]
    [InlineData(0.0, "0.0")]
    public void Number_IsWrittenWithDigitsThatFitItsSize(double value, string expected) =>
        Assert.Equal([expected], Cells(new ResultTable("t").Number("x", [value]), "tbody td"));

    private static string[] Cells(ResultTable table, string selector) =>
        [.. Parse(table).QuerySelectorAll(selector).Select(cell => cell.TextContent)];

    private static IElement Parse(ResultTable table) => new HtmlParser().ParseDocument(table.ToHtml()).Body!;
}
