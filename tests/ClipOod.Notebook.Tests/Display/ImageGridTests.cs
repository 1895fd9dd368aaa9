using System.Buffers.Binary;
using System.IO.Compression;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;

namespace ClipOod.Notebook.Tests.Display;

public sealed class ImageGridTests
{
    [Fact]
    public void Png_HoldsThePixels()
    {
        byte[] pixels = [.. Enumerable.Range(0, 2 * 3 * 3).Select(i => (byte)(i * 13))];
        byte[] png = new ImageBatch(1, 2, 3, pixels).ToPng(0);
        Assert.Equal([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], png[..8]);
        Assert.Equal(3, BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)));
        Assert.Equal(2, BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20)));

        // The pixels follow the 8 bytes of the signature, the 25 of the header chunk and the 8 of their own.
        int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(33));
        using var rows = new MemoryStream();
        using (var zlib = new ZLibStream(new MemoryStream(png, 41, length), CompressionMode.Decompress))
        {
            zlib.CopyTo(rows);
        }

        Assert.Equal([0, .. pixels[..9], 0, .. pixels[9..]], rows.ToArray());
    }

    [Fact]
    public void Png_EndsWithTheChecksumOfItsEmptyEndChunk() =>
        Assert.Equal([0xae, 0x42, 0x60, 0x82], new ImageBatch(1, 1, 1, new byte[3]).ToPng(0)[^4..]);

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
