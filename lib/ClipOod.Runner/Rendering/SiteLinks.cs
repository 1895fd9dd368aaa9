using System.Globalization;
using System.Text.RegularExpressions;

namespace ClipOod.Runner.Rendering;

/// <summary>
/// What a page says of the other pages of its site. It stands in marked places, so that a run can bring it up to date in
/// pages that it does not make anew. Nothing that a notebook shows can look like a mark: outputs lose their comments.
/// </summary>
internal static partial class SiteLinks
{
    /// <summary>A place for the switch between worlds.</summary>
    public const string Worlds = "worlds";

    /// <summary>A place for the runs of this notebook with other parameters.</summary>
    public const string Variants = "variants";

    /// <summary>A place for the links to the pages before and after.</summary>
    public const string Pager = "pager";

    /// <summary>An empty place.</summary>
    public static string Place(string name) => $"<!--place {name}--><!--/place-->";

    /// <summary>A page with its places filled.</summary>
    /// <param name="html">The page.</param>
    /// <param name="site">What the site holds.</param>
    /// <param name="world">The page's world.</param>
    /// <param name="page">The page.</param>
    public static string Fill(string html, SiteManifest site, SiteWorld world, SitePage page) => Places().Replace(html, place =>
    {
        string name = place.Groups[1].Value;
        string content = name switch
        {
            Worlds => WorldSwitch(site, world, "../", page),
            Variants => VariantLinks(world, page),
            Pager => PageLinks(world, page),
            _ => place.Groups[2].Value,
        };
        return $"<!--place {name}-->{content}<!--/place-->";
    });

    /// <summary>The name of the world, and links to the same page in the others; empty where there is only one without a name.</summary>
    /// <param name="site">What the site holds.</param>
    /// <param name="world">The world that is shown.</param>
    /// <param name="root">From the page to the folder of the site.</param>
    /// <param name="page">The page that is shown; null for the index.</param>
    public static string WorldSwitch(SiteManifest site, SiteWorld world, string root, SitePage? page = null)
    {
        if (site.Worlds is [{ Name.Length: 0 }])
        {
            return "";
        }

        IEnumerable<string> items = site.Worlds.Select(other =>
        {
            string name = Html.Text(other.Name.Length > 0 ? other.Name : "no world");
            if (other.Name == world.Name)
            {
                return $"<b aria-current=\"true\">{name}</b>";
            }

            SitePage? same = page is null ? null : other.Pages.FirstOrDefault(candidate => candidate.File == page.File && candidate.IsRun)
                ?? other.Plain.FirstOrDefault(candidate => candidate.Id == page.Id && candidate.IsRun);
            string hint = page is null ? $"The notebooks in the world {name}" : same is null ? $"Not run in the world {name}: to its notebooks" : $"This notebook in the world {name}";
            return $"<a href=\"{root}{Uri.EscapeDataString(other.Folder)}/{(same is null ? "index.html" : Address(same))}\" title=\"{hint}\">{name}</a>";
        });
        return $"<span class=\"worlds\" role=\"group\" aria-label=\"World\">{string.Concat(items)}</span>";
    }

    /// <summary>The address of a page from within its folder.</summary>
    public static string Address(SitePage page) => Uri.EscapeDataString(page.File);

    private static string VariantLinks(SiteWorld world, SitePage page)
    {
        bool isVariant = page.Parameters.Count > 0;
        string[] links = [.. world.VariantsOf(page.Id).Where(variant => variant.File != page.File)
            .Select(variant => $"<a href=\"{Address(variant)}\">{Html.Text(SiteManifest.Describe(variant.Parameters))}</a>")];
        string[] parts =
        [
            .. isVariant ? (string[])[$"<span>Run with <b>{Html.Text(SiteManifest.Describe(page.Parameters))}</b></span>"] : [],
            .. world.Plain.Where(plain => isVariant && plain.Id == page.Id).Select(plain => $"<a href=\"{Address(plain)}\">without parameters</a>"),
            .. links.Length > 0 ? (string[])[$"<span>Also run with</span>", .. links] : [],
        ];
        return parts.Length == 0 ? "" : $"<p class=\"facts variants\">{string.Concat(parts)}</p>";
    }

    private static string PageLinks(SiteWorld world, SitePage page)
    {
        List<SitePage> pages = [.. world.Plain];
        int index = pages.FindIndex(plain => plain.Id == page.Id);
        SitePage? previous = index > 0 ? pages[index - 1] : null, next = index >= 0 && index + 1 < pages.Count ? pages[index + 1] : null;
        return previous is null && next is null
            ? ""
            : $"<nav class=\"pager\" aria-label=\"Notebooks\">{Link(previous, "prev", "← Previous")}{Link(next, "next", "Next →")}</nav>";

        static string Link(SitePage? page, string relation, string words) => page is null
            ? "<span></span>"
            : string.Create(CultureInfo.InvariantCulture, $"<a rel=\"{relation}\" href=\"{Address(page)}\"><small>{words}</small><span><b>{PageFrame.Number(page.Id)}</b> {PageFrame.Title(page.Id, page.Title)}</span></a>");
    }

    [GeneratedRegex("<!--place ([a-z]+)-->(.*?)<!--/place-->", RegexOptions.Singleline)]
    private static partial Regex Places();
}
