using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using ClipOod.Clip;
using Microsoft.Data.Analysis;
using Plotly.NET;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace ClipOod.Notebook;

/// <summary>
/// How notebooks show types of other packages: Plotly.NET's charts drawn, data frames as tables, pictures as pictures.
/// These types cannot be marked as the library's own are, so they are registered in the host's formatter, which is found
/// by name: the library refers to no host.
/// </summary>
internal static class ForeignTypes
{
    private const string Formatting = "Microsoft.DotNet.Interactive.Formatting";

    // Shown of a data frame; the rest is counted.
    private const int MostRows = 20;

    // Longest side of a shown picture, in pixels: outputs are saved with their notebook.
    private const int MostPixels = 640;

    /// <summary>Registers the types, where the process is a notebook's: called when the library is first used.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Notebooks load the library by its path; nothing else could call this.")]
    internal static void Register()
    {
        Type? formatter = AppDomain.CurrentDomain.GetAssemblies()
            .FirstOrDefault(assembly => assembly.GetName().Name == Formatting)?.GetType($"{Formatting}.Formatter");
        MethodInfo? register = formatter?.GetMethod("Register", [typeof(Type), typeof(Action<object, TextWriter>), typeof(string)]);
        MethodInfo? prefer = formatter?.GetMethod("SetPreferredMimeTypesFor", [typeof(Type), typeof(string[])]);
        if (register is not null && prefer is not null)
        {
            RegisterAll(
                register.CreateDelegate<Action<Type, Action<object, TextWriter>, string>>(),
                prefer.CreateDelegate<Action<Type, string[]>>());
        }
    }

    // Apart from Register, so that only a notebook's process loads the packages for it.
    private static void RegisterAll(Action<Type, Action<object, TextWriter>, string> register, Action<Type, string[]> prefer)
    {
        Show<GenericChart>(ToHtml, PlotlyFigure.Describe);
        Show<DataFrame>(frame => TableOf(frame).ToHtml(), frame => TableOf(frame).ToString());
        Show<RgbImage>(ToHtml, Describe);
        Show<Image>(ToHtml, Describe);

        void Show<T>(Func<T, string> html, Func<T, string> text)
        {
            register(typeof(T), (value, writer) => writer.Write(html((T)value)), "text/html");
            register(typeof(T), (value, writer) => writer.Write(text((T)value)), "text/plain");
            prefer(typeof(T), ["text/html", "text/plain"]);
        }
    }

    private static string ToHtml(GenericChart chart) => Html.Output(
        $"<figure class=\"clipood chart\">\n{PlotlyFigure.ToHtml(chart, PlotlyFigure.Describe(chart))}</figure>\n");

    private static ResultTable TableOf(DataFrame frame)
    {
        long rows = frame.Rows.Count;
        int shown = (int)Math.Min(rows, MostRows);
        ResultTable table = ResultTable.FromDataFrame(
            frame.Columns.Count > 0 && shown < rows ? frame.Head(shown) : frame,
            string.Create(CultureInfo.InvariantCulture, $"Data frame, {rows:N0} × {frame.Columns.Count:N0} values"));
        return shown == rows ? table : table.Note(string.Create(CultureInfo.InvariantCulture, $"The first {shown} of {rows:N0} rows."));
    }

    private static string ToHtml(RgbImage image) => Picture(image.Width, image.Height, image.Pixels);

    private static string Describe(RgbImage image) => Size(image.Width, image.Height);

    private static string ToHtml(Image image)
    {
        using Image<Rgb24> rgb = image.CloneAs<Rgb24>();
        byte[] pixels = new byte[3 * rgb.Width * rgb.Height];
        rgb.CopyPixelDataTo(pixels);
        return Picture(rgb.Width, rgb.Height, pixels);
    }

    private static string Describe(Image image) => Size(image.Width, image.Height);

    private static string Size(int width, int height) => string.Create(CultureInfo.InvariantCulture, $"picture of {width} x {height} pixels");

    private static string Picture(int width, int height, byte[] pixels)
    {
        // Every step-th pixel of every step-th row: enough to see what it is.
        int step = (Math.Max(width, height) + MostPixels - 1) / MostPixels;
        int columns = (width + step - 1) / step, rows = (height + step - 1) / step;
        byte[] shown = new byte[3 * columns * rows];
        for (int i = 0; i < columns * rows; i++)
        {
            pixels.AsSpan(3 * step * ((i / columns * width) + (i % columns)), 3).CopyTo(shown.AsSpan(3 * i));
        }

        // Enlarging a small image smoothly would show details that it does not have.
        bool isSmall = Math.Max(width, height) < 112;
        string style = isSmall ? "width:12rem;image-rendering:pixelated" : "max-width:100%";
        return $"<img alt=\"{Size(width, height)}\" title=\"{Size(width, height)}\" style=\"{style}\" src=\"data:image/png;base64,{Convert.ToBase64String(new ImageBatch(1, rows, columns, shown).ToPng(0))}\">";
    }
}
