using System.Buffers;
using SkiaSharp;

namespace ClipOod.Clip;

/// <summary>
/// Decodes JPEG, PNG, WebP, GIF (first frame) and BMP files to RGB, giving the pixels that Pillow's
/// <c>Image.open(path).convert("RGB")</c> gives: grey is repeated in the three channels, alpha is dropped rather than blended,
/// a palette is looked up, CMYK is taken as Adobe's inverted CMYK, colour profiles are not applied, and the EXIF orientation is
/// not applied, because CLIP's own preprocessing does none of these. Of 16-bit channels the high byte is kept.
/// </summary>
public static class ImageDecoder
{
    /// <summary>The number of pixels above which an image is refused unless the caller says otherwise: 89,478,485, where Pillow warns.</summary>
    public const int DefaultMaxPixels = 1024 * 1024 * 1024 / 4 / 3;

    private static readonly SKEncodedImageFormat[] _formats =
        [SKEncodedImageFormat.Jpeg, SKEncodedImageFormat.Png, SKEncodedImageFormat.Webp, SKEncodedImageFormat.Gif, SKEncodedImageFormat.Bmp];

    /// <summary>Decodes a file.</summary>
    /// <param name="path">The image file.</param>
    /// <param name="maxPixels">The largest width × height to decode; it is checked before any pixel is decoded.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is empty, truncated, corrupt, too large or of another format; the message names it.</exception>
    public static RgbImage Decode(string path, int maxPixels = DefaultMaxPixels)
    {
        using RgbaPixels pixels = DecodeRgba(path, maxPixels);
        return pixels.ToRgb();
    }

    /// <summary>Decodes the bytes of a file.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">What to call the image in error messages.</param>
    /// <param name="maxPixels">The largest width × height to decode; it is checked before any pixel is decoded.</param>
    /// <exception cref="InvalidDataException">The data is empty, truncated, corrupt, too large or of another format; the message names it.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> file, string name, int maxPixels = DefaultMaxPixels)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        using SKData data = SKData.CreateCopy(file);
        using RgbaPixels pixels = DecodeRgba(data, name, maxPixels);
        return pixels.ToRgb();
    }

    /// <summary>Decodes into a rented buffer, for callers that resize at once.</summary>
    internal static RgbaPixels DecodeRgba(string path, int maxPixels = DefaultMaxPixels)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"There is no image file '{path}'.", path);
        }

        using SKData data = SKData.CreateCopy(File.ReadAllBytes(path));
        return DecodeRgba(data, path, maxPixels);
    }

    private static unsafe RgbaPixels DecodeRgba(SKData data, string name, int maxPixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPixels, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxPixels, Array.MaxLength / 4);
        using SKCodec? codec = SKCodec.Create(data);
        if (codec is null || Array.IndexOf(_formats, codec.EncodedFormat) < 0)
        {
            string got = codec is null ? $"{data.Size} bytes that begin with {Start(data.AsSpan())}" : $"a file of the format {codec.EncodedFormat}";
            throw new InvalidDataException(
                $"'{name}' is not an image that can be decoded: got {got}, expected a whole JPEG, PNG, WebP, GIF or BMP file. Replace or remove it.");
        }

        int width = codec.Info.Width;
        int height = codec.Info.Height;
        if ((long)width * height > maxPixels)
        {
            throw new InvalidDataException(
                $"'{name}' has {width}x{height} = {(long)width * height} pixels, more than the limit of {maxPixels}. Shrink the image or raise {nameof(maxPixels)}.");
        }

        // Unpremultiplied, or the colours under a low alpha would be rounded away; no colour space, or Skia would convert to it.
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        var pixels = new RgbaPixels(width, height);
        try
        {
            fixed (byte* destination = pixels.Bytes)
            {
                SKCodecResult result = codec.GetPixels(info, (IntPtr)destination);
                if (result != SKCodecResult.Success)
                {
                    string what = result == SKCodecResult.IncompleteInput ? "is truncated" : $"is corrupt ({result})";
                    throw new InvalidDataException(
                        $"'{name}' {what}: it says {codec.EncodedFormat} of {width}x{height} pixels, but {data.Size} bytes do not decode to them. Fetch it again or remove it.");
                }
            }

            if (codec.EncodedFormat == SKEncodedImageFormat.Gif && codec.Info.AlphaType != SKAlphaType.Opaque)
            {
                FillTransparent(pixels.Bytes, GifPalette.TransparentColor(data.AsSpan()));
            }

            return pixels;
        }
        catch
        {
            pixels.Dispose();
            throw;
        }
    }

    /// <summary>Skia gives transparent GIF pixels as 0, Pillow as their palette colour.</summary>
    private static void FillTransparent(Span<byte> rgba, (byte Red, byte Green, byte Blue) color)
    {
        for (int i = 0; i < rgba.Length; i += 4)
        {
            if (rgba[i + 3] == 0)
            {
                (rgba[i], rgba[i + 1], rgba[i + 2]) = color;
            }
        }
    }

    private static string Start(ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? "nothing" : Convert.ToHexString(bytes[..Math.Min(8, bytes.Length)]);
}

/// <summary>A decoded picture, 4 bytes a pixel, in an array of the shared pool. Dispose of it once.</summary>
internal sealed class RgbaPixels(int width, int height) : IDisposable
{
    private readonly byte[] _rented = ArrayPool<byte>.Shared.Rent(4 * width * height);

    public int Width => width;

    public int Height => height;

    /// <summary>Height × width × 4 values.</summary>
    public Span<byte> Bytes => _rented.AsSpan(0, 4 * width * height);

    public RgbImage ToRgb()
    {
        var rgb = new byte[3 * width * height];
        DropFourth(Bytes, rgb);
        return new RgbImage(width, height, rgb);
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_rented);

    internal static void DropFourth(ReadOnlySpan<byte> fours, Span<byte> threes)
    {
        for (int from = 0, to = 0; from < fours.Length; from += 4, to += 3)
        {
            threes[to] = fours[from];
            threes[to + 1] = fours[from + 1];
            threes[to + 2] = fours[from + 2];
        }
    }
}
