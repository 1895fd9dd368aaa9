using System.Globalization;
using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>
/// A sentence that holds computed numbers, shown among the text of a notebook, so that the prose never states a number of its own.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class Finding
{
    private readonly string _text;

    /// <summary>Makes the sentence; its numbers are written culture-invariant.</summary>
    /// <param name="text">Such as <c>$"{share:P1} of the images are flagged."</c></param>
    public Finding(FormattableString text)
    {
        ArgumentNullException.ThrowIfNull(text);
        _text = text.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The sentence as a paragraph of HTML, escaped.</summary>
    public string ToHtml() => $"<p class=\"finding\">{Html.Escape(_text)}</p>";

    /// <inheritdoc/>
    public override string ToString() => _text;
}
