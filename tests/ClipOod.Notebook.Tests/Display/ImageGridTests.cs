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
        byte[] png = Png.Encode(pixels, 2, 3);
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
        Assert.Equal([0xae, 0x42, 0x60, 0x82], Png.Encode(new byte[3], 1, 1)[^4..]);

    [Fact]
    public void ToHtml_HoldsOneImagePerCaption()
    {
        ImageGrid grid = ImageGrid.Show(new byte[2 * 12], 2, 2, 2, [("cat <1>\nentropy 0.1", true), ("dog", null)]);
        IHtmlImageElement[] images = [.. new HtmlParser().ParseDocument(grid.ToHtml()).Images];
        Assert.Equal(2, images.Length);
        Assert.Equal("cat <1>\nentropy 0.1", images[0].AlternativeText);
        Assert.Equal(Convert.ToBase64String(Png.Encode(new byte[12], 2, 2)), images[1].Source![(images[1].Source!.IndexOf(',', StringComparison.Ordinal) + 1)..]);
        Assert.Contains("pixelated", images[0].OuterHtml, StringComparison.Ordinal);
    }

    [Fact]
    public void ToString_MarksRightAndWrongWithoutColour() =>
        Assert.Equal(
            "image 1: ✓ cat; 0.9\nimage 2: ✗ dog\n",
            ImageGrid.Show(new byte[6], 2, 1, 1, [("cat\n0.9", true), ("dog", false)]).ToString());

    [Fact]
    public void Show_WhenBytesAreMissing_SaysHowMany()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => ImageGrid.Show(new byte[11], 1, 2, 2, [("a", null)]));
        Assert.Contains("Got 11 bytes, expected 1 images x 2 x 2 x 3 channels = 12", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Show_WhenACaptionIsMissing_SaysHowMany()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => ImageGrid.Show(new byte[24], 2, 2, 2, [("a", null)]));
        Assert.Contains("Got 1 captions, expected 2", error.Message, StringComparison.Ordinal);
    }
}
