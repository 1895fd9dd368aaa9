using System.Text.RegularExpressions;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;

namespace ClipOod.Runner.Rendering;

/// <summary>
/// A piece of HTML made safe to put into a page: parsed as a browser would parse it and written again, so that whatever
/// it leaves open is closed and whatever it closes too much is dropped. Scripts and styles in it keep working.
/// </summary>
internal sealed partial class HtmlFragment
{
    // Elements that reach beyond the place where they stand: to the page's head, or to how the rest is parsed.
    private const string Dropped = "base, link, meta, title, noscript, frameset, frame";

    // Browsers flatten what is nested deeper than this, and so do not keep it together.
    private const int MaxDepth = 400;

    private HtmlFragment(IElement root) => Root = root;

    /// <summary>The element that holds the fragment; its content is the fragment's.</summary>
    public IElement Root { get; }

    /// <summary>Parses a fragment.</summary>
    /// <param name="html">The fragment, however broken.</param>
    /// <param name="id">Id of the element that the fragment goes into: the scope of its styles.</param>
    public static HtmlFragment Parse(string html, string id)
    {
        string current = html;
        // Once is enough for all but contrived input, whose first writing parses differently from itself.
        for (int attempt = 0; attempt < 4; attempt++)
        {
            IElement root = ParseOnce(current);
            if (Depth(root) > MaxDepth)
            {
                break;
            }

            Contain(root);
            string written = root.InnerHtml;
            if (written == current || written == ParseOnce(written).InnerHtml)
            {
                ScopeStyles(root, id);
                return new HtmlFragment(root);
            }

            current = written;
        }

        return new HtmlFragment(ParseOnce($"<pre class=\"stream\">{Html.Text(html)}</pre>"));
    }

    /// <summary>
    /// JavaScript that stays inside its script element: the words that would end it, or keep its end from being seen,
    /// can only stand in strings, and there <c>\x3C</c> is the same as the sign.
    /// </summary>
    public static string Script(string source) => ScriptBreakers().Replace(source, match =>
        match.Groups["margin"].Success ? match.Groups["margin"].Value + "//" : "\\x3C" + match.Value[1..]);

    /// <summary>The fragment as HTML.</summary>
    public string ToHtml() => Root.InnerHtml;

    private static IElement ParseOnce(string html)
    {
        var parser = new HtmlParser();
        IDocument document = parser.ParseDocument("<!doctype html><body><div></div>");
        IElement root = document.Body!.FirstElementChild!;
        foreach (INode node in parser.ParseFragment(html, root).ToArray())
        {
            root.AppendChild(node);
        }

        return root;
    }

    private static void Contain(IElement root)
    {
        foreach (IElement element in root.QuerySelectorAll(Dropped).ToArray())
        {
            element.Remove();
        }

        foreach (IComment comment in root.Descendants<IComment>().ToArray())
        {
            comment.Remove();
        }

        // Written again, plaintext would still swallow the rest of the page: nothing can close it.
        foreach (IElement plain in root.QuerySelectorAll("plaintext").ToArray())
        {
            IElement pre = root.Owner!.CreateElement("pre");
            pre.TextContent = plain.TextContent;
            plain.Replace(pre);
        }

        foreach (IElement script in root.QuerySelectorAll("script"))
        {
            script.TextContent = Script(script.TextContent);
        }
    }

    private static void ScopeStyles(IElement root, string id)
    {
        foreach (IElement style in root.QuerySelectorAll("style"))
        {
            style.TextContent = CssScope.Wrap(style.TextContent, id);
        }
    }

    private static int Depth(IElement root)
    {
        int deepest = 0;
        var open = new Stack<(INode Node, int Depth)>([(root, 0)]);
        while (open.TryPop(out (INode Node, int Depth) at))
        {
            deepest = Math.Max(deepest, at.Depth);
            foreach (INode child in at.Node.ChildNodes)
            {
                open.Push((child, at.Depth + 1));
            }
        }

        return deepest;
    }

    // At the start of a line "<!--" is JavaScript's old comment to the end of the line.
    [GeneratedRegex("(?<margin>^[ \\t]*)<!--|<!--|</script", RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex ScriptBreakers();
}
