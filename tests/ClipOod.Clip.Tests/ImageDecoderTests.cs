
namespace ClipOod.Clip.Tests;

public sealed class ImageDecoderTests
{
    [Theory, MemberData(nameof(ClipImageProcessorTests.ReferenceImages), MemberType = typeof(ClipImageProcessorTests))]
    public void Decode_ReferenceImage_EqualsPillow(string name)
    {
        RgbImage image = ImageDecoder.Decode(References.ClipGolden(Path.Combine("images", name)));
        if (References.Pillow(name, "decoded") is { } expected)
        {
            Assert.Equal(expected.Shape, new[] { image.Height, image.Width, 3 });
            // The specification allows a JPEG one level; Skia and Pillow decode with the same library and agree fully.
            Assert.Equal(expected.Values, image.Pixels);
        }
        else
        {
            Assert.True(image.Width > 0);
        }
    }
}
