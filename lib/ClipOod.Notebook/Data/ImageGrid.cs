using System.Globalization;
using System.Text;
using ClipOod.Autodiff;

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

    /// <summary>Shows images, without captions.</summary>
    /// <param name="images">At least one image; null where their pixels are not at hand, which is said in their place.</param>
    /// <param name="columns">Images beside each other where the page is wide enough.</param>
    /// <exception cref="ArgumentException">There is no image.</exception>
    public static ImageGrid Show(ImageBatch? images, int columns = 6) =>
        Show(images, [.. Enumerable.Repeat(("", (bool?)null), images?.Count ?? 1)], columns);

    /// <summary>Shows images with captions.</summary>
    /// <param name="images">At least one image; null where their pixels are not at hand, and the captions stand alone.</param>
    /// <param name="captions">One per image: a text, of several lines if need be, and whether it is right (null shows no mark).</param>
    /// <param name="columns">Images beside each other where the page is wide enough.</param>
    /// <exception cref="ArgumentException">There is no image, or not one caption per image.</exception>
    public static ImageGrid Show(ImageBatch? images, IReadOnlyList<(string Text, bool? Right)> captions, int columns = 6)
    {
        ArgumentNullException.ThrowIfNull(captions);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        if (images is null)
        {
            return new ImageGrid([], [.. captions], columns, pixelated: false);
        }

        if (images.Count == 0)
        {
            throw new ArgumentException("Got no images, expected at least one.", nameof(images));
        }

        if (captions.Count != images.Count)
        {
            throw new ArgumentException($"Got {captions.Count} captions, expected {images.Count}, one per image.", nameof(captions));
        }

        string[] sources = [.. Enumerable.Range(0, images.Count).Select(i => Convert.ToBase64String(images.ToPng(i)))];

        // Enlarging a small image smoothly would show details that the model never saw.
        return new ImageGrid(sources, [.. captions], columns, Math.Max(images.Height, images.Width) < 112);
    }

    /// <summary>The images as an HTML fragment; they are part of it as PNG.</summary>
    public string ToHtml()
    {
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"""
            <div class="clipood images" role="list" style="display:grid;grid-template-columns:repeat(auto-fill,minmax(7rem,1fr));gap:.9rem;max-width:{_columns * 9}rem">

            """);
        string rendering = _pixelated ? ";image-rendering:pixelated" : "";
        for (int i = 0; i < _captions.Length; i++)
        {
            (string text, bool? right) = _captions[i];
            string picture = _sources.Length == 0
                ? """<div class="note">no pixels here</div>"""
                : $"""<img src="data:image/png;base64,{_sources[i]}" alt="{Html.Escape(text.Length > 0 ? text : FormattableString.Invariant($"image {i + 1}"))}" style="width:100%;display:block{rendering}">""";
            html.Append(CultureInfo.InvariantCulture, $"""
                <figure role="listitem" style="margin:0">{picture}<figcaption style="font-size:.82em;line-height:1.35;margin-top:.25rem;white-space:pre-line">{MarkHtml(right)}{Html.Escape(text)}</figcaption></figure>

                """);
        }

        return Html.Output(html.Append("</div>\n").ToString());
    }

    /// <summary>The captions, one per line.</summary>
    public override string ToString() => string.Concat(_captions.Select((caption, i) =>
        $"image {i + 1}: {MarkText(caption.Right)}{caption.Text.ReplaceLineEndings("; ")}\n"));

    private static string MarkHtml(bool? right) => right is not bool yes ? "" :
        $"<span style=\"color:{(yes ? "#2a9d78" : "#d04a3c")};font-weight:700\">{MarkText(yes)}</span>";

    // The sign says it without the colour.
    private static string MarkText(bool? right) => right switch { true => "✓ ", false => "✗ ", null => "" };
}
