using System.Buffers.Binary;
using CsCheck;
using SkiaSharp;

namespace ClipOod.Clip.Tests;

public sealed class ImageDecoderTests
{
    // Small files of our own, written and read by Pillow 9.4; the expected values are what its convert("RGB") gives.
    private const string TransparentGif = "R0lGODlhAwACAIEAAAoUHshkMgcICVpbXCH5BAEAAAIALAAAAAADAAIAAAgJAAEEEDBAQICAADs=";

    public static TheoryData<string, string, int, int, byte[]> PillowFiles => new()
    {
        { "gif, index 2 transparent", TransparentGif, 3, 2, [10, 20, 30, 200, 100, 50, 7, 8, 9, 90, 91, 92, 7, 8, 9, 200, 100, 50] },
        {
            "gif, frame smaller than its canvas, index 1 transparent", "R0lGODlhBAACAIEAAAoUHshkMgcICVpbXCH5BAEAAAEALAAAAAADAAIAAAgJAAEEEDBAQICAADs=",
            4, 2, [10, 20, 30, 200, 100, 50, 7, 8, 9, 200, 100, 50, 90, 91, 92, 7, 8, 9, 200, 100, 50, 200, 100, 50]
        },
        {
            "gif, frame smaller than its canvas", "R0lGODdhBQACAIEAAAoUHshkMgcICVpbXCwAAAAAAwACAAAICQABBBAwQECAgAA7",
            5, 2, [10, 20, 30, 200, 100, 50, 7, 8, 9, 10, 20, 30, 10, 20, 30, 90, 91, 92, 7, 8, 9, 200, 100, 50, 10, 20, 30, 10, 20, 30]
        },
        {
            "png, 16-bit grey", "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACEAAAAADoj+WFAAAAFUlEQVR4nGNgYGD4zwjE/xv+z3EAABt3BVpNiLdwAAAAAElFTkSuQmCC",
            3, 2, [0, 0, 0, 0, 0, 0, 1, 1, 1, 255, 255, 255, 128, 128, 128, 156, 156, 156]
        },
        {
            "png, 16-bit RGB", "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABEAIAAAAr0DSeAAAAFUlEQVR4nGNgYGD4z8jw/3/D/zkOABp2BVoxb4l5AAAAAElFTkSuQmCC",
            2, 1, [0, 0, 1, 255, 128, 156]
        },
        {
            "png, grey with alpha", "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAQAAADYv8WvAAAAEklEQVR4nGPkYuBiZBJpEPkHAAO6Ab+BLcHUAAAAAElFTkSuQmCC",
            2, 2, [10, 10, 10, 20, 20, 20, 30, 30, 30, 40, 40, 40]
        },
        {
            "bmp", "Qk1OAAAAAAAAADYAAAAoAAAAAwAAAAIAAAABABgAAAAAABgAAADEDgAAxA4AAAAAAAAAAAAAWjweeFAolmQyAAAAAAAAHhQKPCgUAAAA",
            3, 2, [0, 0, 0, 10, 20, 30, 20, 40, 60, 30, 60, 90, 40, 80, 120, 50, 100, 150]
        },
    };

    // Of the other five reference images Pillow's crop alone is recorded: ClipImageProcessorTests compares all eleven crops.
    [Theory]
    [InlineData("alpha.png")]
    [InlineData("caltech-gray.jpg")]
    [InlineData("cifar-10.png")]
    [InlineData("cmyk.jpg")]
    [InlineData("food-1.jpg")]
    [InlineData("palette.png")]
    public void Decode_ReferenceImage_EqualsPillow(string name)
    {
        RgbImage image = ImageDecoder.Decode(References.ClipGolden(Path.Combine("images", name)));
        (byte[] values, int[] shape) = References.Pillow(name, "decoded");
        Assert.Equal(shape, new[] { image.Height, image.Width, 3 });
        // The specification allows a JPEG one level; Skia and Pillow decode with the same library and agree fully.
        Assert.Equal(values, image.Pixels);
    }

    [Theory, MemberData(nameof(PillowFiles))]
    public void Decode_OddFile_EqualsPillow(string what, string file, int width, int height, byte[] expected)
    {
        RgbImage image = ImageDecoder.Decode(Convert.FromBase64String(file), what);
        Assert.Equal((width, height), (image.Width, image.Height));
        Assert.Equal(expected, image.Pixels);
    }

    [Theory]
    [InlineData(SKAlphaType.Opaque)]
    [InlineData(SKAlphaType.Unpremul)]
    public void Decode_Png_GivesThePixelsThatWereWrittenWhateverTheAlpha(SKAlphaType alpha)
    {
        byte[] pixels = Noise(4 * 23 * 31);
        byte[] file = Encode(pixels, 23, 31, SKEncodedImageFormat.Png, alpha);
        byte[] colors = [.. pixels.Where((_, i) => i % 4 != 3)];
        Assert.Equal(colors, ImageDecoder.Decode(file, "noise").Pixels);
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void Decode_LossyFile_IsNearThePixels(SKEncodedImageFormat format)
    {
        byte[] pixels = [.. Enumerable.Range(0, 40 * 40).SelectMany(i => (byte[])[(byte)(i % 40 * 6), (byte)(i / 40 * 6), 100, 255])];
        RgbImage image = ImageDecoder.Decode(Encode(pixels, 40, 40, format, SKAlphaType.Opaque), "ramp");
        byte[] colors = [.. pixels.Where((_, i) => i % 4 != 3)];
        Assert.InRange(colors.Zip(image.Pixels, (a, b) => Math.Abs(a - b)).Average(), 0, 3);
    }

    [Fact]
    public void Decode_ExifOrientation_IsNotApplied()
    {
        byte[] pixels = [.. Enumerable.Range(0, 16 * 8).SelectMany(i => (byte[])[(byte)(i % 16 * 16), (byte)(i / 16 * 32), 0, 255])];
        byte[] plain = Encode(pixels, 16, 8, SKEncodedImageFormat.Jpeg, SKAlphaType.Opaque);
        // A big-endian TIFF header and one entry: tag 0x0112 (orientation), a short, 6 (turn by 90 degrees).
        byte[] exif = [.. "Exif\0\0MM\0*"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
        byte[] turned = [.. plain[..2], 0xFF, 0xE1, 0, (byte)(exif.Length + 2), .. exif, .. plain[2..]];
        using (SKCodec codec = SKCodec.Create(SKData.CreateCopy(turned)))
        {
            Assert.Equal(SKEncodedOrigin.RightTop, codec.EncodedOrigin);
        }

        RgbImage image = ImageDecoder.Decode(turned, "turned");
        Assert.Equal((16, 8), (image.Width, image.Height));
        Assert.Equal(ImageDecoder.Decode(plain, "plain").Pixels, image.Pixels);
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg, "is truncated: it says Jpeg of 64x64 pixels")]
    [InlineData(SKEncodedImageFormat.Png, "is truncated: it says Png of 64x64 pixels")]
    // Skia does not open a WebP file that is shorter than its header says.
    [InlineData(SKEncodedImageFormat.Webp, "expected a whole JPEG, PNG, WebP, GIF, BMP, TIFF, TGA, PBM, PGM or PPM file")]
    public void Decode_TruncatedFile_SaysSoWithThePath(SKEncodedImageFormat format, string expected)
    {
        using var folder = new TemporaryFolder();
        byte[] file = Encode(Noise(4 * 64 * 64), 64, 64, format, SKAlphaType.Opaque);
        string path = folder.Write("half.img", file[..(file.Length / 2)]);
        var error = Assert.Throws<InvalidDataException>(() => ImageDecoder.Decode(path));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_MissingFile_NamesIt() =>
        Assert.Contains("nowhere.png", Assert.Throws<FileNotFoundException>(() => ImageDecoder.Decode("nowhere.png")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("empty.png", "", "nothing")]
    [InlineData("text.jpg", "68656C6C6F2C20776F726C64", "68656C6C6F2C2077")]
    [InlineData("bits.wbmp", "0000010180", "Wbmp")]
    [InlineData("start.png", "89504E470D0A1A0A", "8 bytes")]
    public void Decode_NotAnImage_SaysWhatItGotAndExpects(string name, string hex, string got)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write(name, Convert.FromHexString(hex));
        var error = Assert.Throws<InvalidDataException>(() => ImageDecoder.Decode(path));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(got, error.Message, StringComparison.Ordinal);
        Assert.Contains("JPEG, PNG, WebP, GIF, BMP, TIFF, TGA, PBM, PGM or PPM", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_HugeImage_IsRefusedByItsHeader()
    {
        // The first 33 bytes of a PNG: signature and header chunk, of 100,000 x 50,000 pixels of RGB.
        byte[] header = [0, 1, 0x86, 0xA0, 0, 0, 0xC3, 0x50, 8, 2, 0, 0, 0];
        byte[] chunk = [.. "IHDR"u8, .. header];
        var check = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(check, Crc32(chunk));
        // Skia reads on to the first data chunk before it tells the size.
        byte[] file = [0x89, .. "PNG\r\n\x1a\n"u8, 0, 0, 0, 13, .. chunk, .. check, 0, 0, 1, 0, .. "IDAT"u8, 0x78, 0x9C];
        var error = Assert.Throws<InvalidDataException>(() => ImageDecoder.Decode(file, "huge.png"));
        Assert.Contains("'huge.png' has 100000x50000 = 5000000000 pixels, more than the limit of 89478485", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_OverTheCallersLimit_IsRefused()
    {
        byte[] file = Encode(Noise(4 * 10 * 10), 10, 10, SKEncodedImageFormat.Png, SKAlphaType.Opaque);
        Assert.Equal(10, ImageDecoder.Decode(file, "ten", maxPixels: 100).Width);
        Assert.Contains("limit of 99", Assert.Throws<InvalidDataException>(() => ImageDecoder.Decode(file, "ten", maxPixels: 99)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageDecoder.Decode(file, "ten", maxPixels: 0));
    }

    [Fact]
    public void Decode_DamagedFile_DecodesOrSaysThatItCannot()
    {
        byte[][] files =
        [
            Encode(Noise(4 * 20 * 20), 20, 20, SKEncodedImageFormat.Jpeg, SKAlphaType.Opaque),
            Encode(Noise(4 * 20 * 20), 20, 20, SKEncodedImageFormat.Png, SKAlphaType.Unpremul),
            Encode(Noise(4 * 20 * 20), 20, 20, SKEncodedImageFormat.Webp, SKAlphaType.Opaque),
            Convert.FromBase64String(TransparentGif),
            Convert.FromBase64String(TransparentGif),
        ];
        Gen.Select(Gen.Int[0, files.Length - 1], Gen.Int[0, int.MaxValue], Gen.Byte, Gen.Int[0, int.MaxValue]).Sample((which, at, value, cut) =>
        {
            byte[] file = [.. files[which]];
            file[at % file.Length] = value;
            try
            {
                RgbImage image = ImageDecoder.Decode(file.AsSpan(0, file.Length - cut % 20), "damaged", maxPixels: 1_000_000);
                Assert.Equal(3 * image.Width * image.Height, image.Pixels.Length);
            }
            catch (InvalidDataException error)
            {
                Assert.StartsWith("'damaged' ", error.Message, StringComparison.Ordinal);
            }
        }, iter: 3000);
    }

    private static byte[] Noise(int count)
    {
        var values = new byte[count];
        new Random(5).NextBytes(values);
        return values;
    }

    private static unsafe byte[] Encode(byte[] rgba, int width, int height, SKEncodedImageFormat format, SKAlphaType alpha)
    {
        fixed (byte* pixels = rgba)
        {
            using var map = new SKPixmap(new SKImageInfo(width, height, SKColorType.Rgba8888, alpha), (IntPtr)pixels);
            using SKData data = map.Encode(format, 90)!;
            return data.ToArray();
        }
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }
        }

        return ~crc;
    }
}
