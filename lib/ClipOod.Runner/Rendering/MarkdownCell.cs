using AngleSharp.Dom;
using ClipOod.Runner.Execution;

namespace ClipOod.Runner.Rendering;

/// <summary>An entry of a page's table of contents.</summary>
internal sealed record Heading(int Level, string Id, string Html);

/// <summary>Fits the HTML of a markdown cell into a page: unique ids, links from notebook to notebook, tables that scroll.</summary>
/// <param name="ids">Ids taken on the page; grows.</param>
/// <param name="pages">Ids of the notebooks that have a page.</param>
/// <param name="folder">Folder of the notebook, where its pictures are.</param>
/// <param name="world">The world of the page: paragraphs for another one, which begin as <c>**In `name`:**</c>, are left out. Empty to keep all.</param>
internal sealed class MarkdownCell(HashSet<string> ids, IReadOnlySet<string> pages, string folder, string world = "")
{
    private static readonly Dictionary<string, string> _pictureTypes = new(StringComparer.OrdinalIgnoreCase)
    {
        [".png"] = "image/png",
        [".jpg"] = "image/jpeg",
        [".jpeg"] = "image/jpeg",
        [".gif"] = "image/gif",
        [".webp"] = "image/webp",
        [".svg"] = "image/svg+xml",
    };

    /// <summary>The headings met so far, in order.</summary>
    public List<Heading> Headings { get; } = [];

    /// <summary>Renders one cell.</summary>
    /// <param name="cell">The cell.</param>
    /// <param name="id">Id of the element that the cell goes into.</param>
    /// <param name="header">The run whose title and question the page's header shows already, if this is the first cell.</param>
    public string Render(CellRun cell, string id, NotebookRun? header)
    {
        IElement root = HtmlFragment.Parse(MarkdownRenderer.ToHtml(cell.Source), id).Root;
        if (header is not null)
        {
            RemoveIfSame(root.QuerySelector("h1"), header.Title);
            RemoveIfSame(root.QuerySelector("blockquote"), header.Question);
        }

        RemoveOtherWorlds(root);
        MakeIdsUnique(root);
        RewriteLinks(root);
        EmbedPictures(root);
        foreach (IElement table in root.QuerySelectorAll("table").Where(table => table.Closest("table table") is null).ToArray())
        {
            Wrap(table, "scroll");
        }

        foreach (IElement block in root.QuerySelectorAll("pre > code.language-csharp, pre > code.language-cs").ToArray())
        {
            block.InnerHtml = CodeHighlighter.ToHtml(block.TextContent.TrimEnd('\n'));
        }

        CollectHeadings(root);
        return root.InnerHtml;
    }

    private static void RemoveIfSame(IElement? element, string markdown)
    {
        if (element is not null && Words(element.TextContent) == Words(HtmlFragment.Parse(MarkdownRenderer.ToHtml(markdown, withRawHtml: false), "top").Root.TextContent))
        {
            element.Remove();
        }
    }

    private void RemoveOtherWorlds(IElement root)
    {
        foreach (IElement label in root.QuerySelectorAll(":is(p, li) > strong:first-child").Where(_ => world.Length > 0).ToArray())
        {
            IElement paragraph = label.ParentElement!;
            if (label.QuerySelector("code") is IElement name
                && label.TextContent == $"In {name.TextContent}:"
                && paragraph.TextContent.TrimStart().StartsWith(label.TextContent, StringComparison.Ordinal)
                && name.TextContent != world)
            {
                paragraph.Remove();
            }
        }
    }

    private static string Words(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private void MakeIdsUnique(IElement root)
    {
        var renamed = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (IElement element in root.QuerySelectorAll("[id]"))
        {
            string wanted = element.Id!;
            string id = wanted;
            for (int copy = 2; !ids.Add(id); copy++)
            {
                id = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{wanted}-{copy}");
            }

            element.Id = id;
            renamed.TryAdd(wanted, id);
        }

        foreach (IElement link in root.QuerySelectorAll("a[href^='#']"))
        {
            if (renamed.TryGetValue(link.GetAttribute("href")![1..], out string? id))
            {
                link.SetAttribute("href", "#" + id);
            }
        }
    }

    private void RewriteLinks(IElement root)
    {
        foreach (IElement link in root.QuerySelectorAll("a[href*='.dib']").ToArray())
        {
            string address = link.GetAttribute("href")!;
            string[] parts = address.Split('#', 2);
            string name = parts[0].StartsWith("./", StringComparison.Ordinal) ? parts[0][2..] : parts[0];
            if (!name.EndsWith(".dib", StringComparison.Ordinal) || name.Contains('/', StringComparison.Ordinal))
            {
                continue;
            }

            string id = Uri.UnescapeDataString(name[..^".dib".Length]);
            if (pages.Contains(id))
            {
                link.SetAttribute("href", name[..^".dib".Length] + ".html" + (parts.Length > 1 ? "#" + parts[1] : ""));
                continue;
            }

            // A dead link would look like a mistake of the reader's.
            IElement words = root.Owner!.CreateElement("span");
            words.ClassName = "absent";
            words.SetAttribute("title", $"{name} has no page here");
            words.InnerHtml = link.InnerHtml;
            link.Replace(words);
        }
    }

    private void EmbedPictures(IElement root)
    {
        foreach (IElement picture in root.QuerySelectorAll("img[src]"))
        {
            string address = picture.GetAttribute("src")!;
            if (address.Contains(':', StringComparison.Ordinal) || !_pictureTypes.TryGetValue(Path.GetExtension(address), out string? type))
            {
                continue;
            }

            string path = Path.Combine(folder, Uri.UnescapeDataString(address));
            if (File.Exists(path))
            {
                picture.SetAttribute("src", $"data:{type};base64,{Convert.ToBase64String(File.ReadAllBytes(path))}");
            }
        }
    }

    private static void Wrap(IElement element, string className)
    {
        IElement wrapper = element.Owner!.CreateElement("div");
        wrapper.ClassName = className;
        wrapper.SetAttribute("tabindex", "0");
        element.Replace(wrapper);
        wrapper.AppendChild(element);
    }

    private void CollectHeadings(IElement root)
    {
        foreach (IElement heading in root.QuerySelectorAll("h1[id], h2[id], h3[id], h4[id]"))
        {
            if (heading.LocalName != "h4")
            {
                var copy = (IElement)heading.Clone();
                foreach (IElement link in copy.QuerySelectorAll("a").ToArray())
                {
                    link.Replace([.. link.ChildNodes]);
                }

                foreach (IElement named in copy.QuerySelectorAll("[id]"))
                {
                    named.RemoveAttribute("id");
                }

                Headings.Add(new Heading(heading.LocalName[1] - '0', heading.Id!, copy.InnerHtml));
            }

            IElement anchor = root.Owner!.CreateElement("a");
            anchor.ClassName = "anchor";
            anchor.SetAttribute("href", "#" + heading.Id);
            anchor.SetAttribute("aria-label", "Link to this section");
            anchor.TextContent = "#";
            heading.AppendChild(anchor);
        }
    }
}
