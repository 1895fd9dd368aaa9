using System.Buffers;
using System.Globalization;

namespace ClipOod.Clip;

/// <summary>
/// CLIP's image preprocessing: resize of the short side, centre crop, scaling to [0, 1], normalisation per channel, channel-major.
/// The crop is byte for byte what Pillow and torchvision give on the same RGB pixels. Safe to use from several threads at once.
/// </summary>
/// <remarks>
/// Source: <c>openai/CLIP clip.py _transform</c> and <c>open_clip transform.py image_transform</c>, with one difference: a palette,
/// grey or alpha image becomes RGB before the resize rather than after it.
/// </remarks>
public sealed class ClipImageProcessor
{
    private readonly float[] _normalised;

    /// <summary>Sets up the preprocessing of a model.</summary>
    /// <param name="size">The side of the crop in pixels: 224, or 336 for the @336 models.</param>
    /// <param name="filter">The kernel of the resize.</param>
    /// <param name="mean">Mean of red, green and blue on the scale [0, 1]; CLIP's when null.</param>
    /// <param name="standardDeviation">Standard deviation of red, green and blue on the scale [0, 1], above 0; CLIP's when null.</param>
    /// <exception cref="ArgumentException">The size is not positive, or mean or deviation are not three finite numbers.</exception>
    public ClipImageProcessor(
        int size = 224, ResizeFilter filter = ResizeFilter.Bicubic, IReadOnlyList<double>? mean = null, IReadOnlyList<double>? standardDeviation = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        if (!Enum.IsDefined(filter))
        {
            throw new ArgumentOutOfRangeException(nameof(filter), filter, "Expected Bicubic or Bilinear.");
        }

        Size = size;
        Filter = filter;
        Mean = Checked(mean ?? ClipMean, nameof(mean));
        StandardDeviation = Checked(standardDeviation ?? ClipStandardDeviation, nameof(standardDeviation));
        if (StandardDeviation.Any(s => s <= 0))
        {
            throw new ArgumentException($"A standard deviation is above 0; got {string.Join(", ", StandardDeviation)}.", nameof(standardDeviation));
        }

        // A channel has 256 values, so its normalised values are looked up; in single precision and in torch's order of operations.
        _normalised = [.. from channel in Enumerable.Range(0, 3)
                          from value in Enumerable.Range(0, 256)
                          select (value / 255f - (float)Mean[channel]) / (float)StandardDeviation[channel]];
    }

    /// <summary>The mean of CLIP's training images: red, green, blue on the scale [0, 1].</summary>
    public static IReadOnlyList<double> ClipMean { get; } = [0.48145466, 0.4578275, 0.40821073];

    /// <summary>The standard deviation of CLIP's training images: red, green, blue on the scale [0, 1].</summary>
    public static IReadOnlyList<double> ClipStandardDeviation { get; } = [0.26862954, 0.26130258, 0.27577711];

    /// <summary>The side of the crop in pixels.</summary>
    public int Size { get; }

    /// <summary>The kernel of the resize.</summary>
    public ResizeFilter Filter { get; }

    /// <summary>What is subtracted from red, green and blue on the scale [0, 1].</summary>
    public IReadOnlyList<double> Mean { get; }

    /// <summary>What red, green and blue are then divided by.</summary>
    public IReadOnlyList<double> StandardDeviation { get; }

    /// <summary>The number of values of one processed image: 3 × size × size.</summary>
    public int ValueCount => 3 * Size * Size;

    /// <summary>For example "resize 224 Bicubic, centre crop, mean 0.481 0.458 0.408, deviation 0.269 0.261 0.276".</summary>
    public override string ToString()
    {
        string numbers(IEnumerable<double> values) => string.Join(' ', values.Select(value => value.ToString("0.###", CultureInfo.InvariantCulture)));
        return FormattableString.Invariant($"resize {Size} {Filter}, centre crop, mean {numbers(Mean)}, deviation {numbers(StandardDeviation)}");
    }

    /// <summary>The centre crop of the resized image, before normalisation: size × size.</summary>
    /// <param name="image">An image of any size.</param>
    public RgbImage ResizeAndCrop(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return ResizeAndCrop(image.Pixels, image.Width, image.Height, 3);
    }

    internal RgbImage ResizeAndCrop(RgbaPixels image) => ResizeAndCrop(image.Bytes, image.Width, image.Height, 4);

    /// <summary>The values that the network takes: 3 × size × size, channel-major.</summary>
    /// <param name="image">An image of any size.</param>
    public float[] Process(RgbImage image)
    {
        var values = new float[ValueCount];
        Process(image, values);
        return values;
    }

    /// <summary>Writes the values that the network takes, such as into one image's place in a batch.</summary>
    /// <param name="image">An image of any size.</param>
    /// <param name="destination">Room for exactly 3 × size × size values, channel-major.</param>
    /// <exception cref="ArgumentException">The room is of another length.</exception>
    public void Process(RgbImage image, Span<float> destination)
    {
        ArgumentNullException.ThrowIfNull(image);
        Process(image.Pixels, image.Width, image.Height, 3, destination);
    }

    /// <summary>Decodes a file and writes the values that the network takes, without an array of its own for the pixels.</summary>
    /// <param name="path">An image file; see <see cref="ImageDecoder"/> for formats and errors.</param>
    /// <param name="destination">Room for exactly 3 × size × size values, channel-major.</param>
    /// <param name="maxPixels">The largest width × height to decode.</param>
    /// <exception cref="ArgumentException">The room is of another length.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is empty, truncated, corrupt, too large or of another format; the message names it.</exception>
    public void ProcessFile(string path, Span<float> destination, int maxPixels = ImageDecoder.DefaultMaxPixels)
    {
        using RgbaPixels pixels = ImageDecoder.DecodeRgba(path, maxPixels);
        Process(pixels, destination);
    }

    internal void Process(RgbaPixels image, Span<float> destination) => Process(image.Bytes, image.Width, image.Height, 4, destination);

    private RgbImage ResizeAndCrop(ReadOnlySpan<byte> pixels, int width, int height, int channels)
    {
        var rgb = new byte[ValueCount];
        byte[] crop = ArrayPool<byte>.Shared.Rent(4 * Size * Size);
        Resize(pixels, width, height, channels, crop);
        RgbaPixels.DropFourth(crop.AsSpan(0, 4 * Size * Size), rgb);
        ArrayPool<byte>.Shared.Return(crop);
        return new RgbImage(Size, Size, rgb);
    }

    private void Process(ReadOnlySpan<byte> pixels, int width, int height, int channels, Span<float> destination)
    {
        if (destination.Length != ValueCount)
        {
            throw new ArgumentException($"An image of {Size}x{Size} has {ValueCount} values; got room for {destination.Length}.", nameof(destination));
        }

        int area = Size * Size;
        byte[] crop = ArrayPool<byte>.Shared.Rent(4 * area);
        Resize(pixels, width, height, channels, crop);
        for (int channel = 0; channel < 3; channel++)
        {
            ReadOnlySpan<float> table = _normalised.AsSpan(256 * channel, 256);
            Span<float> plane = destination.Slice(channel * area, area);
            for (int i = 0, at = channel; i < plane.Length; i++, at += 4)
            {
                plane[i] = table[crop[at]];
            }
        }

        ArrayPool<byte>.Shared.Return(crop);
    }

    /// <summary>
    /// The sides after the resize: the short one is the size, the long one is truncated, not rounded. It is long because a line of
    /// pixels becomes 224 times as long (never in memory: only the crop is computed).
    /// </summary>
    internal (long Width, long Height) ResizedSides(int width, int height)
    {
        long longSide = (long)Size * Math.Max(width, height) / Math.Min(width, height);
        return width <= height ? (Size, longSide) : (longSide, Size);
    }

    private void Resize(ReadOnlySpan<byte> pixels, int width, int height, int channels, Span<byte> crop)
    {
        (long resizedWidth, long resizedHeight) = ResizedSides(width, height);
        Resampler.Run(
            pixels, width, channels,
            Resampler.Prepare(width, resizedWidth, CropStart(resizedWidth), Size, Filter),
            Resampler.Prepare(height, resizedHeight, CropStart(resizedHeight), Size, Filter),
            crop);
    }

    /// <summary>Half of what the crop leaves over; half a pixel goes to the even side, as in Python's round.</summary>
    internal long CropStart(long resizedSide) => (long)Math.Round((resizedSide - Size) / 2.0, MidpointRounding.ToEven);

    private static double[] Checked(IReadOnlyList<double> values, string name) =>
        values.Count == 3 && values.All(double.IsFinite)
            ? [.. values]
            : throw new ArgumentException($"Expected three finite numbers, for red, green and blue; got {string.Join(", ", values)}.", name);
}
