using ClipOod.Autodiff;

namespace ClipOod.Notebook;

/// <summary>What is there to be looked up, such as a table of settings: under one line that opens it.</summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class Fold
{
    private readonly string _title;
    private readonly object[] _content;

    /// <summary>Puts tables, cards and findings under a line. Charts do not belong there: they are drawn when the page opens.</summary>
    /// <param name="title">The line, such as "The sets, and what was left out".</param>
    /// <param name="content">At least one object of this library that has an HTML form.</param>
    /// <exception cref="ArgumentException">There is none, or one has no HTML form.</exception>
    public Fold(string title, params object[] content)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(title);
        ArgumentNullException.ThrowIfNull(content);
        _title = title;
        _content = content.Length > 0 ? content : throw new ArgumentException("Got nothing to fold, expected at least one object.", nameof(content));
        if (content.FirstOrDefault(item => item?.GetType().GetMethod("ToHtml", Type.EmptyTypes) is null) is object plain)
        {
            throw new ArgumentException($"{plain.GetType().Name} has no HTML form, expected tables, benches, worlds or findings.", nameof(content));
        }
    }

    /// <summary>The line and what it opens.</summary>
    public string ToHtml() => Html.Output(
        $"<div class=\"clipood\"><details><summary>{Html.Escape(_title)}</summary>{string.Concat(_content.Select(item => (string)item.GetType().GetMethod("ToHtml", Type.EmptyTypes)!.Invoke(item, null)!))}</details></div>");

    /// <inheritdoc/>
    public override string ToString() => string.Join(Environment.NewLine, [_title, .. _content.Select(item => item.ToString())]);
}
