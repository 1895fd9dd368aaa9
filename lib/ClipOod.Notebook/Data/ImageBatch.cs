using ClipOod.Autodiff;
using ClipOod.Clip;
using SkiaSharp;

namespace ClipOod.Notebook;

/// <summary>Small colour images of one size: N × H × W × 3 bytes, red, green, blue. Immutable; shown as a grid of pictures.</summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class ImageBatch
{
    private const int Channels = 3;

    // Either all pixels, or what gives those of an image: pictures of a large data set are read when somebody looks at them.
    private readonly byte[] _pixels = [];
    private readonly Func<int, byte[]>? _read;

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

    /// <summary>Pictures that are read one by one, whenever somebody looks at one.</summary>
    /// <param name="count">N, at least 0.</param>
    /// <param name="height">H in pixels, at least 1.</param>
    /// <param name="width">W in pixels, at least 1.</param>
    /// <param name="read">The H·W·3 bytes of an image.</param>
    internal ImageBatch(int count, int height, int width, Func<int, byte[]> read) =>
        (Count, Height, Width, _read) = (count, height, width, read);

    /// <summary>Pictures of one size as a batch; also pictures of ImageSharp, inside a collection expression.</summary>
    /// <param name="images">At least one picture.</param>
    /// <exception cref="ArgumentException">There is no picture, or their sizes differ.</exception>
    public static ImageBatch Of(IReadOnlyList<RgbImage> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.Count == 0)
        {
            throw new ArgumentException("Got no picture, expected at least one.", nameof(images));
        }

        (int width, int height) = (images[0].Width, images[0].Height);
        return images.FirstOrDefault(image => (image.Width, image.Height) != (width, height)) is { } other
            ? throw new ArgumentException(
                $"Got pictures of {width}x{height} and of {other.Width}x{other.Height} pixels, expected one size: resize them first.", nameof(images))
            : new ImageBatch(images.Count, height, width, [.. images.SelectMany(image => image.Pixels)]);
    }

    /// <summary>Number of images, N.</summary>
    public int Count { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>All images, one after another.</summary>
    /// <exception cref="InsufficientMemoryException">They are read one by one, and all of them together do not fit into one array.</exception>
    public ReadOnlySpan<byte> Pixels => _read is null ? _pixels : ReadAll();

    /// <summary>The H·W·3 bytes of one image.</summary>
    /// <param name="image">0 to N−1.</param>
    public ReadOnlySpan<byte> this[int image] => _read is null ? _pixels.AsSpan(image * ImageLength, ImageLength) : _read(image);

    private int ImageLength => Height * Width * Channels;

    /// <summary>The given images, in the given order.</summary>
    /// <param name="images">Positions, each 0 to N−1; may repeat.</param>
    public ImageBatch Select(IReadOnlyList<int> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (_read is { } read)
        {
            return new ImageBatch(images.Count, Height, Width, i => read(images[i]));
        }

        byte[] pixels = new byte[images.Count * ImageLength];
        for (int i = 0; i < images.Count; i++)
        {
            this[images[i]].CopyTo(pixels.AsSpan(i * ImageLength));
        }

        return new ImageBatch(images.Count, Height, Width, pixels);
    }

    /// <summary>These images followed by others of the same size.</summary>
    internal ImageBatch Append(ImageBatch other) => _read is null && other._read is null
        ? new ImageBatch(Count + other.Count, Height, Width, [.. _pixels, .. other._pixels])
        : (Height, Width) == (other.Height, other.Width)
            ? new ImageBatch(Count + other.Count, Height, Width, i => (i < Count ? this[i] : other[i - Count]).ToArray())
            : throw new ArgumentException($"Got images of {other.Width} x {other.Height} pixels, expected {Width} x {Height}.", nameof(other));

    private byte[] ReadAll()
    {
        if ((long)Count * ImageLength > Array.MaxLength)
        {
            throw new InsufficientMemoryException($"{this} do not fit into one array: take fewer with {nameof(Select)}, or one at a time.");
        }

        byte[] pixels = new byte[Count * ImageLength];
        Parallel.For(0, Count, i => this[i].CopyTo(pixels.AsSpan(i * ImageLength)));
        return pixels;
    }

    /// <summary>One image as the bytes of a PNG file.</summary>
    /// <param name="image">0 to N−1.</param>
    public byte[] ToPng(int image)
    {
        ReadOnlySpan<byte> rgb = this[image];
        using SKBitmap bitmap = new(Width, Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        Span<byte> rgba = bitmap.GetPixelSpan();
        for (int i = 0; i < Width * Height; i++)
        {
            rgb.Slice(Channels * i, Channels).CopyTo(rgba[(4 * i)..]);
            rgba[4 * i + 3] = byte.MaxValue;
        }

        using SKData png = bitmap.Encode(SKEncodedImageFormat.Png, quality: 100);
        return png.ToArray();
    }

    /// <summary>The images as HTML, without captions; <see cref="ImageGrid"/> adds them.</summary>
    public string ToHtml() => ImageGrid.Show(this).ToHtml();

    /// <inheritdoc/>
    public override string ToString() => $"{Count} images of {Width} x {Height} pixels";
}
