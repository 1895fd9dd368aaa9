using System.Net;

namespace ClipOod.Notebook;

/// <summary>What every HTML output of the library shares: escaping and one small style sheet.</summary>
internal static class Html
{
    /// <summary>
    /// Styles of tables, figures and image grids. Each output carries them, since a notebook front end has no page to put
    /// them in; colours are half-transparent greys and the page's own text colour, so they suit light and dark pages.
    /// </summary>
    private const string Style = """
        <style>
        .clipood{max-width:100%;margin:.75rem 0}
        .clipood .scroll{overflow-x:auto;max-width:100%}
        .clipood .title{font-weight:600;margin:0 0 .35rem;text-align:left;color:inherit}
        .clipood .note{font-size:.85em;opacity:.8;margin:.3rem 0;max-width:46rem;text-align:left}
        .clipood table{border-collapse:collapse;border:0;margin:0;font-size:.92em;width:auto;display:table}
        .clipood th,.clipood td{border:0;border-bottom:1px solid rgba(128,128,128,.3);padding:.28rem .8rem .28rem 0;text-align:left;vertical-align:top;background:none;color:inherit;max-width:26rem}
        .clipood thead th{border-bottom:2px solid rgba(128,128,128,.6);vertical-align:bottom;font-weight:600}
        .clipood tbody th{font-weight:400}
        .clipood .num{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
        .clipood thead .num{white-space:normal;max-width:11rem}
        .clipood .short,.clipood thead .short{white-space:nowrap}
        .clipood .long{min-width:14rem}
        .clipood th:not(:first-child),.clipood td:not(:first-child){padding-left:.6rem}
        .clipood details{font-size:.92em;margin:.3rem 0}
        .clipood details .scroll{max-height:24rem;overflow:auto;margin-top:.4rem}
        .clipood summary{cursor:pointer;opacity:.8}
        figure.clipood{margin-left:0;margin-right:0}
        </style>
        """;

    /// <summary>
    /// One output: the styles and what they style in an element of their own, so that a page that keeps the styles of an
    /// output to that output finds both in it.
    /// </summary>
    public static string Output(string content) => $"<div>{Style}\n{content}</div>\n";

    /// <summary>Text as it may stand in an element or a quoted attribute.</summary>
    public static string Escape(string? text) => WebUtility.HtmlEncode(text ?? "");
}
