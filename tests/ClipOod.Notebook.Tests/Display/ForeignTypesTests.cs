using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;
using ClipOod.Clip;
using Microsoft.Data.Analysis;
using Microsoft.DotNet.Interactive.Formatting;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace ClipOod.Notebook.Tests.Display;

/// <summary>What the formatter of a notebook's host makes of values that are not of types of the library.</summary>
[Collection("process")]
public sealed class ForeignTypesTests
{
    public ForeignTypesTests()
    {
        Formatter.ResetToDefault();
        ForeignTypes.Register();
    }

    [Fact]
    public void GenericChart_IsDrawnAsTheChartsOfTheLibrary()
    {
        Plotly.NET.GenericChart chart = Plot.Chart([Plot.Trace("scatter", new { name = "<ID>", y = new[] { 1, 2 } }), Plot.Trace("bar", new { y = new[] { 2, 1 } })], new { });
        IHtmlDocument page = Show(chart);
        Assert.Equal("Chart: 2 traces, scatter <ID>, bar", page.QuerySelector("figure.clipood [role=img]")!.GetAttribute("aria-label"));
        Assert.Contains("Plotly.newPlot(", page.Scripts[^1].Text, StringComparison.Ordinal);
        Assert.Contains("DecompressionStream", page.Scripts[0].Text, StringComparison.Ordinal);
        Assert.Equal("Chart: 2 traces, scatter <ID>, bar", chart.ToDisplayString("text/plain"));
    }

    [Fact]
    public void DataFrame_IsATableOfItsFirstRows()
    {
        var frame = new DataFrame(
            new StringDataFrameColumn("class", Enumerable.Range(0, 50).Select(i => $"<{i}>")),
            new DoubleDataFrameColumn("score", Enumerable.Range(0, 50).Select(i => i / 4.0)));
        IHtmlDocument page = Show(frame);
        Assert.Equal("Data frame, 50 × 2 values", page.QuerySelector(".title")!.TextContent);
        Assert.Equal(["class", "score"], page.QuerySelectorAll("thead th").Select(cell => cell.TextContent));
        Assert.Equal(20, page.QuerySelectorAll("tbody tr").Length);
        Assert.Equal("<0>", page.QuerySelector("tbody th")!.TextContent);
        Assert.Equal("The first 20 of 50 rows.", page.QuerySelector(".note")!.TextContent);
        Assert.StartsWith("Data frame, 50 × 2 values\nclass", frame.ToDisplayString("text/plain"), StringComparison.Ordinal);
    }

    [Fact]
    public void DataFrame_ThatIsEmpty_IsSaidToBe() =>
        Assert.Equal("Data frame, 0 × 0 values", Show(new DataFrame()).QuerySelector(".title")!.TextContent);

    [Fact]
    public void Pictures_OfAnyPackage_AreShownAlike()
    {
        using var image = new Image<Rgb24>(2, 1);
        (image[0, 0], image[1, 0]) = (new Rgb24(1, 2, 3), new Rgb24(4, 5, 6));
        using Image<Rgba32> other = image.CloneAs<Rgba32>();
        string shown = new RgbImage(2, 1, [1, 2, 3, 4, 5, 6]).ToDisplayString("text/html");

        Assert.Equal(shown, image.ToDisplayString("text/html"));
        Assert.Equal(shown, other.ToDisplayString("text/html"));
        Assert.Equal("picture of 2 x 1 pixels", image.ToDisplayString("text/plain"));
        Assert.Equal([1, 2, 3, 4, 5, 6], PixelsOf(Show(image)));
    }

    [Fact]
    public void Picture_ThatIsLarge_IsThinned()
    {
        byte[] pixels = new byte[3 * 1300 * 2];
        pixels[9] = 7; // pixel 3: the second that is shown
        byte[] shown = PixelsOf(Show(new RgbImage(1300, 2, pixels)));
        Assert.Equal(3 * 434, shown.Length);
        Assert.Equal(7, shown[3]);
    }

    [Fact]
    public void Matrix_IsATableOfItsCorner()
    {
        var matrix = new Matrix(9, 10, Enumerable.Range(0, 90).Select(i => (double)i).ToArray());
        IHtmlDocument page = Show(matrix);
        Assert.Equal("Matrix, 9 × 10 values", page.QuerySelector(".title")!.TextContent);
        Assert.Equal(["row", "0", "1", "2", "3", "4", "5", "6", "7"], page.QuerySelectorAll("thead th").Select(cell => cell.TextContent));
        Assert.Equal("77.00", page.QuerySelector("tbody tr:last-child td:last-child")!.TextContent);
        Assert.Equal("The first 8 rows and 8 columns.", page.QuerySelector(".note")!.TextContent);
    }

    [Fact]
    public void Embeddings_AreATableOfTheirCorner()
    {
        IHtmlDocument page = Show(Embeddings.FromRows([0.5, 1]));
        Assert.Equal("Embeddings, 1 × 2 values", page.QuerySelector(".title")!.TextContent);
        Assert.Null(page.QuerySelector(".note"));
    }

    private static IHtmlDocument Show(object value)
    {
        Assert.Equal("text/html", Formatter.GetPreferredMimeTypesFor(value.GetType()).First());
        return new HtmlParser().ParseDocument(value.ToDisplayString("text/html"));
    }

    private static byte[] PixelsOf(IHtmlDocument page)
    {
        string source = page.Images.Single().GetAttribute("src")!;
        using Image<Rgb24> image = Image.Load<Rgb24>(Convert.FromBase64String(source["data:image/png;base64,".Length..]));
        byte[] pixels = new byte[3 * image.Width * image.Height];
        image.CopyPixelDataTo(pixels);
        return pixels;
    }
}
