using System.Globalization;
using System.Text;
using ClipOod.Notebook;

namespace ClipOod.Runner.Commands;

/// <summary>The papers of detectors as BibTeX.</summary>
internal static class Bibliography
{
    /// <summary>
    /// An entry for each paper, as several detectors may come from one. Its keywords are the keys of its detectors, which are also its
    /// other names to biblatex (<c>\cite{mcm}</c>).
    /// </summary>
    /// <param name="cards">The detectors.</param>
    public static string Of(IEnumerable<DetectorCard> cards)
    {
        var entries = new StringBuilder();
        foreach (IGrouping<Uri, DetectorCard> paper in cards.GroupBy(card => card.Url))
        {
            DetectorCard card = paper.First();
            string detectors = string.Join(", ", paper.Select(detector => detector.Key));
            string code = string.Join(", ", paper.Select(detector => $@"\url{{https://github.com/{detector.ReferenceCode}}}").Distinct());
            entries.Append(CultureInfo.InvariantCulture, $$$"""
                @misc{{{{KeyOf(card)}}},
                  author = {{{{Authors(card.Authors)}}}},
                  title = {{{{{Escape(card.Title)}}}}},
                  year = {{{{card.Year}}}},
                  eprint = {{{{card.Url.Segments[^1]}}}},
                  archiveprefix = {arXiv},
                  url = {{{{card.Url}}}},
                  note = {Code: {{{code}}}},
                  keywords = {{{{detectors}}}},
                  ids = {{{{detectors}}}}
                }


                """);
        }

        return entries.ToString().TrimEnd('\n') + "\n";
    }

    // The first author's name, the year and the number of the paper: no two papers share it.
    private static string KeyOf(DetectorCard card) =>
        string.Create(CultureInfo.InvariantCulture, $"{card.Authors.Split(' ')[0].ToLowerInvariant()}{card.Year}-{card.Url.Segments[^1]}");

    private static string Authors(string cited) => Escape(cited.Replace(" et al.", " and others", StringComparison.Ordinal).Replace(" & ", " and ", StringComparison.Ordinal));

    private static string Escape(string text) => string.Concat(text.Select(letter => letter is '&' or '%' or '$' or '#' or '_' ? $"\\{letter}" : letter.ToString()));
}
