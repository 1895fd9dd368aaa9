using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;

namespace ClipOod.Notebook.Tests.Display;

public sealed class ImageGridTests
{
    [Fact]
    public void ToHtml_HoldsOneImagePerCaption()
    {
        ImageGrid grid = ImageGrid.Show(new ImageBatch(2, 2, 2, new byte[24]), [("cat <1>\nentropy 0.1", true), ("dog", null)]);
        IHtmlImageElement[] images = [.. new HtmlParser().ParseDocument(grid.ToHtml()).Images];
        Assert.Equal(2, images.Length);
        Assert.Equal("cat <1>\nentropy 0.1", images[0].AlternativeText);
        Assert.Equal(Convert.ToBase64String(new ImageBatch(1, 2, 2, new byte[12]).ToPng(0)), images[1].Source![(images[1].Source!.IndexOf(',', StringComparison.Ordinal) + 1)..]);
        Assert.Contains("pixelated", images[0].OuterHtml, StringComparison.Ordinal);
    }

    [Fact]
    public void ToString_MarksRightAndWrongWithoutColour() =>
        Assert.Equal(
            "image 1: ✓ cat; 0.9\nimage 2: ✗ dog\n",
            ImageGrid.Show(new ImageBatch(2, 1, 1, new byte[6]), [("cat\n0.9", true), ("dog", false)]).ToString());

    [Fact]
    public void WithoutPixels_TheCaptionsStandAlone()
    {
        ImageGrid grid = ImageGrid.Show(null, [("cat", true), ("dog", false)]);
        Assert.Equal("image 1: ✓ cat\nimage 2: ✗ dog\n", grid.ToString());
        Assert.Equal(["✓ cat", "✗ dog"], new HtmlParser().ParseDocument(grid.ToHtml()).QuerySelectorAll("figcaption").Select(caption => caption.TextContent));
        Assert.Contains("no pixels here", ImageGrid.Show(null).ToHtml(), StringComparison.Ordinal);
    }

    [Fact]
    public void ImageBatch_IsShownAsAGridWithoutCaptions()
    {
        var images = new ImageBatch(2, 1, 1, new byte[6]);
        Assert.Equal(ImageGrid.Show(images).ToHtml(), images.ToHtml());
        Assert.Equal(["image 1", "image 2"], new HtmlParser().ParseDocument(images.ToHtml()).Images.Select(image => image.AlternativeText));
    }

    [Fact]
    public void Show_WhenACaptionIsMissing_SaysHowMany()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => ImageGrid.Show(new ImageBatch(2, 2, 2, new byte[24]), [("a", null)]));
        Assert.Contains("Got 1 captions, expected 2", error.Message, StringComparison.Ordinal);
    }
}
