using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>Small colour images of one size: N × H × W × 3 bytes, red, green, blue. Immutable; shown as a grid of pictures.</summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class ImageBatch
{
    private const int Channels = 3;

    private readonly byte[] _pixels;

    /// <summary>Wraps <paramref name="pixels"/>, which must not be changed afterwards.</summary>
    /// <param name="count">N, at least 0.</param>
    /// <param name="height">H in pixels, at least 1.</param>
    /// <param name="width">W in pixels, at least 1.</param>
    /// <param name="pixels">N·H·W·3 bytes: image after image, row after row, RGB.</param>
    /// <exception cref="ArgumentException">The number of bytes does not fit.</exception>
    public ImageBatch(int count, int height, int width, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentNullException.ThrowIfNull(pixels);
        if ((long)count * height * width * Channels != pixels.Length)
        {
            throw new ArgumentException(
                $"Got {pixels.Length} bytes, expected {count} x {height} x {width} x {Channels} = {(long)count * height * width * Channels}.",
                nameof(pixels));
        }

        Count = count;
        Height = height;
        Width = width;
        _pixels = pixels;
    }

    /// <summary>Number of images, N.</summary>
    public int Count { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>All images, one after another.</summary>
    public ReadOnlySpan<byte> Pixels => _pixels;

    /// <summary>The H·W·3 bytes of one image.</summary>
    /// <param name="image">0 to N−1.</param>
    public ReadOnlySpan<byte> this[int image] => Pixels.Slice(image * ImageLength, ImageLength);

    private int ImageLength => Height * Width * Channels;

    /// <summary>The given images, in the given order.</summary>
    /// <param name="images">Positions, each 0 to N−1; may repeat.</param>
    public ImageBatch Select(IReadOnlyList<int> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        byte[] pixels = new byte[images.Count * ImageLength];
        for (int i = 0; i < images.Count; i++)
        {
            this[images[i]].CopyTo(pixels.AsSpan(i * ImageLength));
        }

        return new ImageBatch(images.Count, Height, Width, pixels);
    }

    /// <summary>One image as the bytes of a PNG file.</summary>
    /// <param name="image">0 to N−1.</param>
    public byte[] ToPng(int image)
    {
        using MemoryStream png = new();
        png.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);

        // Width, height, 8 bits per channel, colour type 2 = RGB, then the only defined compression, filter and no interlace.
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, Width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], Height);
        header[8] = 8;
        header[9] = 2;
        WriteChunk(png, "IHDR", header);

        using MemoryStream data = new();
        using (ZLibStream zlib = new(data, CompressionLevel.Optimal, leaveOpen: true))
        {
            int stride = Width * Channels;
            for (int y = 0; y < Height; y++)
            {
                zlib.WriteByte(0); // the row's filter: none
                zlib.Write(this[image].Slice(y * stride, stride));
            }
        }

        WriteChunk(png, "IDAT", data.ToArray());
        WriteChunk(png, "IEND", []);
        return png.ToArray();
    }

    /// <summary>The images as HTML, without captions; <see cref="ImageGrid"/> adds them.</summary>
    public string ToHtml() => ImageGrid.Show(this).ToHtml();

    /// <inheritdoc/>
    public override string ToString() => $"{Count} images of {Width} x {Height} pixels";

    private static void WriteChunk(MemoryStream png, string type, ReadOnlySpan<byte> data)
    {
        byte[] chunk = [.. Encoding.ASCII.GetBytes(type), .. data];
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        png.Write(number);
        png.Write(chunk);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32(chunk));
        png.Write(number);
    }

    /// <summary>The CRC-32 of the PNG specification, annex D: polynomial 0xEDB88320, reflected.</summary>
    private static uint Crc32(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0xEDB88320;
            }
        }

        return ~crc;
    }
}
