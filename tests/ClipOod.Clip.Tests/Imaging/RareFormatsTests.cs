using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using CsCheck;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Gif;
using SixLabors.ImageSharp.Formats.Tga;
using SixLabors.ImageSharp.Formats.Tiff;
using SixLabors.ImageSharp.Formats.Tiff.Constants;
using SixLabors.ImageSharp.PixelFormats;

namespace ClipOod.Clip.Tests;

public sealed class RareFormatsTests
{
    private const int Width = 23;
    private const int Height = 11;

    // Tags of the TIFF 6.0 specification.
    private const int StripOffsets = 273;
    private const int Compression = 259;

    private static readonly byte[] _noise = Noise(3 * Width * Height);

    /// <summary>Files that hold <see cref="_noise"/>, none longer than it must be.</summary>
    private static readonly Dictionary<string, byte[]> _files = new()
    {
        ["tiff"] = Tiff(Width, Height, 8, 3, _noise),
        ["tiff, lzw"] = Encode(new TiffEncoder { Compression = TiffCompression.Lzw, BitsPerPixel = TiffBitsPerPixel.Bit24 }),
        ["tiff, deflate"] = Encode(new TiffEncoder { Compression = TiffCompression.Deflate, BitsPerPixel = TiffBitsPerPixel.Bit24 }),
        ["tiff, packbits"] = Encode(new TiffEncoder { Compression = TiffCompression.PackBits, BitsPerPixel = TiffBitsPerPixel.Bit24 }),
        ["tiff, 16 bit"] = Tiff(Width, Height, 16, 3, [.. _noise.SelectMany(value => (byte[])[77, value])]),
        ["tga"] = Encode(new TgaEncoder { Compression = TgaCompression.None, BitsPerPixel = TgaBitsPerPixel.Pixel24 }),
        ["tga, run lengths"] = Encode(new TgaEncoder { Compression = TgaCompression.RunLength, BitsPerPixel = TgaBitsPerPixel.Pixel24 }),
        ["tga, alpha"] = Encode(new TgaEncoder { Compression = TgaCompression.None, BitsPerPixel = TgaBitsPerPixel.Pixel32 }),
        ["ppm"] = [.. Ascii($"P6\n{Width} {Height}\n255\n"), .. _noise],
        ["ppm, 16 bit"] = [.. Ascii($"P6 # a comment\n{Width} {Height} 65535\n"), .. _noise.SelectMany(value => (byte[])[value, 200])],
        ["ppm, text"] = Ascii($"P3 {Width} {Height} 255 {string.Join(' ', _noise)}"),
    };

    public static TheoryData<string> Names => [.. _files.Keys];

    public static TheoryData<string> BinaryNames => [.. _files.Keys.Where(name => name != "ppm, text")];

    [Theory, MemberData(nameof(Names))]
    public void Decode_File_GivesThePixelsThatWereWrittenWhateverItsEnding(string name)
    {
        using TemporaryFolder folder = new();
        RgbImage image = ImageDecoder.Decode(folder.Write("picture.jpg", _files[name]));
        Assert.Equal((Width, Height), (image.Width, image.Height));
        Assert.Equal(_noise, image.Pixels);
    }

    [Theory]
    [InlineData("P1 3 1\n1 0 1", new byte[] { 0, 255, 0 })]
    [InlineData("P1\n#\n3 1\n101\n", new byte[] { 0, 255, 0 })]
    [InlineData("P2 3 1 15\n1 15 0", new byte[] { 17, 255, 0 })]
    [InlineData("P2 3 1 100\n50 100 0", new byte[] { 127, 255, 0 })]
    [InlineData("P2 3 1 1000\n500 1000 0", new byte[] { 127, 255, 0 })]
    [InlineData("P2 3 1 4095\n2048 4095 0", new byte[] { 128, 255, 0 })]
    [InlineData("P4 3 1\n\u00A0", new byte[] { 0, 255, 0 })]
    [InlineData("P4 9 2\n\u00FF\u0080\u0000\u0080", new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0 })]
    [InlineData("P5 2 1 65535\n\u0001\u00FF\u00FE\u0000", new byte[] { 1, 254 })]
    [InlineData("P5 3 1 255\n\u0001\u00FF\0", new byte[] { 1, 255, 0 })]
    [InlineData("P5 3 1 100\n2d\0", new byte[] { 127, 255, 0 })]
    public void Decode_Netpbm_ScalesItsLargestValueToWhite(string file, byte[] grey)
    {
        RgbImage image = ImageDecoder.Decode(Encoding.Latin1.GetBytes(file), "netpbm");
        Assert.Equal([.. grey.SelectMany(value => (byte[])[value, value, value])], image.Pixels);
    }

    [Theory, MemberData(nameof(BinaryNames))]
    public void Decode_FileCutAnywhere_IsRefusedUnlessItsPixelsAreWhole(string name)
    {
        byte[] file = _files[name];
        int refused = 0;
        for (int length = 0; length < file.Length; length++)
        {
            try
            {
                Assert.Equal(_noise, ImageDecoder.Decode(file.AsSpan(0, length), "cut").Pixels);
            }
            catch (InvalidDataException error)
            {
                Assert.StartsWith("'cut' ", error.Message, StringComparison.Ordinal);
                refused++;
            }
        }

        // ImageSharp writes a directory behind the pixels of a TIFF, with tags at its end that pixels do not need.
        Assert.InRange(refused, name.StartsWith("tiff, ", StringComparison.Ordinal) ? file.Length * 4 / 5 : file.Length, file.Length);
    }

    [Theory]
    [InlineData("P3 2 1 255\n1 2 3 4 5", "is truncated: it says Netpbm")]
    [InlineData("P1 3 1\n1 0", "is truncated")]
    [InlineData("P6 0 5 255\n", "is corrupt")]
    [InlineData("P6 1 1 0\nabc", "is corrupt")]
    [InlineData("P6 1 1 70000\nabcdef", "values up to 70000")]
    [InlineData("P6 99999999999 1 255\n", "no number from 0 to 2147483647")]
    [InlineData("P1 2 1\n02", "expected the digit 0 or 1")]
    [InlineData("P7\nWIDTH 2\nHEIGHT 2\n", "expected a whole JPEG, PNG, WebP, GIF, BMP, TIFF, TGA, PBM, PGM or PPM file")]
    public void Decode_BadNetpbm_SaysWhat(string file, string expected) =>
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => ImageDecoder.Decode(Ascii(file), "bad")).Message, StringComparison.Ordinal);

    public static TheoryData<string, byte[]> HugeHeaders => new()
    {
        { "ppm", Ascii("P6 100000 50000 255\n") },
        { "tga", [0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x30, 0x75, 0x30, 0x75, 24, 0x20] },
        { "tiff", Tiff(100000, 50000, 8, 1, []) },
    };

    [Theory, MemberData(nameof(HugeHeaders))]
    public void Decode_HugeHeader_IsRefusedBeforeAnyPixel(string what, byte[] file)
    {
        var error = Assert.Throws<InvalidDataException>(() => ImageDecoder.Decode(file, what));
        Assert.Contains("pixels, more than the limit of 89478485", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_SidesBeyondImageSharp_AreRefused()
    {
        byte[] file = [0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 24, 0x20];
        Assert.Throws<InvalidDataException>(() => ImageDecoder.Decode(file, "tga of 65535 x 65535"));
    }

    [Fact]
    public void Decode_StripThatInflatesTo64Megabytes_GivesThePictureItDeclares()
    {
        using MemoryStream packed = new();
        using (ZLibStream zlib = new(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            zlib.Write(new byte[1 << 26]);
        }

        Assert.InRange(packed.Length, 1, 1 << 17);
        byte[] file = Tiff(8, 8, 8, 1, packed.ToArray(), (Compression, 8));
        // No array of 64 megabytes is allowed at this limit.
        Assert.Equal(new byte[3 * 8 * 8], ImageDecoder.Decode(file, "bomb", maxPixels: 64).Pixels);
    }

    [Fact]
    public void Decode_JpegOfThousandsOfScans_IsRefused()
    {
        // A progressive JPEG of 4000 x 4000 grey pixels whose scans hold nothing: 10 bytes each cost a pass over all blocks.
        byte[] scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0];
        byte[] file =
        [
            0xFF, 0xD8,
            0xFF, 0xDB, 0, 67, 0, .. Enumerable.Repeat((byte)1, 64),
            0xFF, 0xC2, 0, 11, 8, 0x0F, 0xA0, 0x0F, 0xA0, 1, 1, 0x11, 0,
            0xFF, 0xC4, 0, 20, 0, 1, .. new byte[15], 0,
            .. Enumerable.Repeat(scan, 5000).SelectMany(bytes => bytes),
            0xFF, 0xD9,
        ];
        Assert.Contains("'scans' is ", Assert.Throws<InvalidDataException>(() => ImageDecoder.Decode(file, "scans")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TryDecode_BeyondItsTime_IsGivenUp()
    {
        var error = Assert.Throws<InvalidDataException>(() => RareFormats.TryDecode(_files["tiff"], "slow", 1_000_000, TimeSpan.Zero));
        Assert.Contains("'slow' took longer than 0 s to decode", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_SeveralFrames_GivesTheFirst()
    {
        byte[] page = Tiff(Width, Height, 8, 3, _noise);
        byte[] pages = [.. page, .. Tiff(2, 2, 8, 1, new byte[4], at: page.Length)];
        int count = BinaryPrimitives.ReadUInt16LittleEndian(page.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(pages.AsSpan(10 + 12 * count), page.Length + 8);
        Assert.Equal(_noise, ImageDecoder.Decode(pages, "two pages").Pixels);

        using Image<Rgb24> animation = new(4, 4, new Rgb24(255, 0, 0));
        animation.Frames.AddFrame(new Image<Rgb24>(4, 4, new Rgb24(0, 0, 255)).Frames.RootFrame);
        RgbImage first = ImageDecoder.Decode(Encode(new GifEncoder(), animation), "animation");
        Assert.Equal([.. Enumerable.Repeat((byte[])[255, 0, 0], 16).SelectMany(pixel => pixel)], first.Pixels);
    }

    [Theory]
    [InlineData("heic", "a HEIC picture, as phones take them")]
    [InlineData("mif1", "a HEIC picture, as phones take them")]
    [InlineData("avif", "an AVIF picture")]
    public void Decode_PhonePicture_IsToldByName(string brand, string expected)
    {
        byte[] file = [0, 0, 0, 24, .. Ascii($"ftyp{brand}"), .. new byte[12]];
        Assert.Contains($"got {expected}", Assert.Throws<InvalidDataException>(() => ImageDecoder.Decode(file, "photo.jpg")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_KindThatImageSharpLacks_SaysSo()
    {
        byte[] tiled = Tiff(8, 8, 8, 1, new byte[256], (322, 16), (323, 16), (324, 8), (325, 256));
        Assert.Contains("Tiled images are not supported", Assert.Throws<InvalidDataException>(() => ImageDecoder.Decode(tiled, "tiled")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_DamagedFile_DecodesOrSaysThatItCannot()
    {
        byte[][] files = [.. _files.Values];
        Gen.Select(Gen.Int[0, files.Length - 1], Gen.Int[0, int.MaxValue], Gen.Byte, Gen.Int[0, int.MaxValue], Gen.Byte).Sample((which, at, value, second, other) =>
        {
            byte[] file = [.. files[which]];
            // Headers are the interesting part.
            file[at % Math.Min(file.Length, 200)] = value;
            file[second % file.Length] = other;
            try
            {
                RgbImage image = ImageDecoder.Decode(file, "damaged", maxPixels: 1_000_000);
                Assert.Equal(3 * image.Width * image.Height, image.Pixels.Length);
            }
            catch (InvalidDataException error)
            {
                Assert.StartsWith("'damaged' ", error.Message, StringComparison.Ordinal);
            }
        }, iter: 3000);
    }

    [Fact]
    public void RgbImage_FromImageSharp_HasItsPixelsAndIsEncodedAlike()
    {
        using Image<Rgb24> image = Image.LoadPixelData<Rgb24>(_noise, Width, Height);
        RgbImage converted = image;
        Assert.Equal((Width, Height), (converted.Width, converted.Height));
        Assert.Equal(_noise, converted.Pixels);
        ClipImageProcessor processor = new(8);
        Assert.Equal(processor.Process(converted), processor.Process(image));
        IReadOnlyList<RgbImage> list = [image, converted];
        Assert.Equal(list[1].Pixels, list[0].Pixels);
        Assert.Throws<ArgumentNullException>(() => (RgbImage)(Image<Rgb24>)null!);
    }

    private static byte[] Ascii(string text) => Encoding.ASCII.GetBytes(text);

    private static byte[] Noise(int count)
    {
        byte[] values = new byte[count];
        new Random(6).NextBytes(values);
        return values;
    }

    private static byte[] Encode(IImageEncoder encoder)
    {
        using Image<Rgb24> image = Image.LoadPixelData<Rgb24>(_noise, Width, Height);
        return Encode(encoder, image);
    }

    private static byte[] Encode(IImageEncoder encoder, Image<Rgb24> image)
    {
        using MemoryStream stream = new();
        image.Save(stream, encoder);
        return stream.ToArray();
    }

    /// <summary>A little-endian TIFF of one strip, with its directory first and its pixels last, which begins at this place of a file.</summary>
    private static byte[] Tiff(int width, int height, int bits, int channels, byte[] strip, params ReadOnlySpan<(int Tag, int Value)> others) =>
        Tiff(width, height, bits, channels, strip, 0, others);

    private static byte[] Tiff(int width, int height, int bits, int channels, byte[] strip, int at, params ReadOnlySpan<(int Tag, int Value)> others)
    {
        SortedDictionary<int, int> tags = new()
        {
            [256] = width,
            [257] = height,
            [258] = bits,
            [Compression] = 1,
            [262] = channels == 3 ? 2 : 1,
            [StripOffsets] = 0,
            [277] = channels,
            [278] = height,
            [279] = strip.Length,
        };
        foreach ((int tag, int value) in others)
        {
            tags[tag] = value;
        }

        // The three bit depths do not fit into the entry.
        int depths = 8 + 2 + 12 * tags.Count + 4;
        int pixels = depths + 2 * channels;
        tags[StripOffsets] = at + pixels;
        using MemoryStream stream = new();
        using BinaryWriter writer = new(stream);
        writer.Write("II*\0"u8);
        writer.Write(8);
        writer.Write((ushort)tags.Count);
        foreach ((int tag, int value) in tags)
        {
            bool isDepth = tag == 258 && channels == 3;
            writer.Write((ushort)tag);
            writer.Write((ushort)(tag is 258 or Compression or 262 or 277 ? 3 : 4));
            writer.Write(isDepth ? channels : 1);
            writer.Write(isDepth ? at + depths : value);
        }

        writer.Write(0);
        for (int channel = 0; channel < channels; channel++)
        {
            writer.Write((ushort)bits);
        }

        writer.Write(strip);
        return stream.ToArray();
    }
}
