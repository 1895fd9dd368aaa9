using System.Globalization;
using System.Text;

namespace ClipOod.Notebook;

/// <summary>Images side by side, each with a caption and, where wanted, a mark that says whether the caption is right.</summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class ImageGrid
{
    private readonly string[] _sources;
    private readonly (string Text, bool? Right)[] _captions;
    private readonly int _columns;
    private readonly bool _pixelated;

    private ImageGrid(string[] sources, (string Text, bool? Right)[] captions, int columns, bool pixelated)
    {
        _sources = sources;
        _captions = captions;
        _columns = columns;
        _pixelated = pixelated;
    }

    /// <summary>Shows RGB images.</summary>
    /// <param name="images">N × H × W × 3 bytes, image after image, row after row.</param>
    /// <param name="count">N, at least 1.</param>
    /// <param name="height">H in pixels.</param>
    /// <param name="width">W in pixels.</param>
    /// <param name="captions">One per image: a text, of several lines if need be, and whether it is right (null shows no mark).</param>
    /// <param name="columns">Images beside each other where the page is wide enough.</param>
    /// <exception cref="ArgumentException">The number of bytes is not N·H·W·3, or there is not one caption per image.</exception>
    public static ImageGrid Show(
        ReadOnlySpan<byte> images, int count, int height, int width, IReadOnlyList<(string Text, bool? Right)> captions, int columns = 6)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentNullException.ThrowIfNull(captions);
        int size = checked(height * width * 3);
        if (images.Length != (long)count * size)
        {
            throw new ArgumentException(
                $"Got {images.Length} bytes, expected {count} images x {height} x {width} x 3 channels = {(long)count * size}.", nameof(images));
        }

        if (captions.Count != count)
        {
            throw new ArgumentException($"Got {captions.Count} captions, expected {count}, one per image.", nameof(captions));
        }

        string[] sources = new string[count];
        for (int i = 0; i < count; i++)
        {
            sources[i] = Convert.ToBase64String(Png.Encode(images.Slice(i * size, size), height, width));
        }

        // Enlarging a small image smoothly would show details that the model never saw.
        return new ImageGrid(sources, [.. captions], columns, Math.Max(height, width) < 112);
    }

    /// <summary>The images as an HTML fragment; they are part of it as PNG.</summary>
    public string ToHtml()
    {
        var html = new StringBuilder(Html.Style);
        html.Append(CultureInfo.InvariantCulture, $"""
            <div class="clipood images" role="list" style="display:grid;grid-template-columns:repeat(auto-fill,minmax(7rem,1fr));gap:.9rem;max-width:{_columns * 8}rem">

            """);
        for (int i = 0; i < _sources.Length; i++)
        {
            (string text, bool? right) = _captions[i];
            string rendering = _pixelated ? ";image-rendering:pixelated" : "";
            html.Append(CultureInfo.InvariantCulture, $"""
                <figure role="listitem" style="margin:0"><img src="data:image/png;base64,{_sources[i]}" alt="{Html.Escape(text)}" style="width:100%;display:block{rendering}"><figcaption style="font-size:.82em;line-height:1.35;margin-top:.25rem;white-space:pre-line">{MarkHtml(right)}{Html.Escape(text)}</figcaption></figure>

                """);
        }

        return html.Append("</div>\n").ToString();
    }

    /// <summary>The captions, one per line.</summary>
    public override string ToString() => string.Concat(_captions.Select((caption, i) =>
        $"image {i + 1}: {MarkText(caption.Right)}{caption.Text.ReplaceLineEndings("; ")}\n"));

    private static string MarkHtml(bool? right) => right is not bool yes ? "" :
        $"<span style=\"color:{(yes ? "#2a9d78" : "#d04a3c")};font-weight:700\">{MarkText(yes)}</span>";

    // The sign says it without the colour.
    private static string MarkText(bool? right) => right switch { true => "✓ ", false => "✗ ", null => "" };
}
