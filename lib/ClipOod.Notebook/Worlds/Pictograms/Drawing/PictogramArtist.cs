using ClipOod.Clip;
using SkiaSharp;

namespace ClipOod.Notebook;

/// <summary>
/// Draws pictures of <see cref="Side"/> x <see cref="Side"/> pixels. The same concept, style and seed give the same picture; between
/// platforms and versions of the rasteriser the edges of shapes may differ by some levels, everything else is equal.
/// One artist per thread.
/// </summary>
internal sealed class PictogramArtist : IDisposable
{
    /// <summary>Width and height of a picture in pixels.</summary>
    public const int Side = 64;

    /// <summary>Version of the library that rasterises.</summary>
    public static string RasteriserVersion => typeof(SKCanvas).Assembly.GetName().Version!.ToString();

    /// <summary>A drawing's box in its own units.</summary>
    private const float Box = 100;

    private readonly SKBitmap _bitmap = new(new SKImageInfo(Side, Side, SKColorType.Rgba8888, SKAlphaType.Opaque));
    private readonly SKCanvas _canvas;
    private readonly SKPaint _paint = new() { IsAntialias = true, StrokeCap = SKStrokeCap.Round, StrokeJoin = SKStrokeJoin.Round };
    private readonly Dictionary<SKPath, SKPath> _paths = [];

    /// <summary>Makes an artist.</summary>
    public PictogramArtist() => _canvas = new SKCanvas(_bitmap);

    /// <summary>Draws a concept in a random style.</summary>
    /// <param name="concept">What to draw.</param>
    /// <param name="seed">Of the style and of every other choice.</param>
    /// <param name="shift">A shift of the picture away from those the tiny CLIP knows; null for none.</param>
    public RgbImage Draw(Concept concept, int seed, Shift? shift = null)
    {
        Random random = new(seed);
        PictogramStyle style = PictogramStyle.Random(concept, random);
        return Draw(concept, shift is null ? style : shift.Apply(style, random), random);
    }

    /// <summary>Draws a concept in a given style.</summary>
    /// <param name="concept">What to draw.</param>
    /// <param name="style">How.</param>
    /// <param name="random">The source of what the style leaves open: shades, clutter, noise.</param>
    public RgbImage Draw(Concept concept, PictogramStyle style, Random random)
    {
        ArgumentNullException.ThrowIfNull(concept);
        ArgumentNullException.ThrowIfNull(style);
        ArgumentNullException.ThrowIfNull(random);
        DrawBackdrop(style, random);
        Drawing drawing = concept.Drawings[style.Drawing];
        Inks inks = new(style, random);
        using (new SKAutoCanvasRestore(_canvas))
        {
            _canvas.Concat(Placement(style));
            if (drawing.Tile is (double width, double height))
            {
                PaintTiles(drawing, (float)width, (float)height, style, inks);
            }
            else
            {
                PaintParts(drawing, style, inks);
            }
        }

        DrawOcclusion(style, random);
        return Develop(style, random);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SKPath path in _paths.Values)
        {
            path.Dispose();
        }

        _paint.Dispose();
        _canvas.Dispose();
        _bitmap.Dispose();
    }

    // The colours of one picture. Details are dark and outlines stand out from what is behind them.
    private sealed class Inks
    {
        private readonly SKColor[] _colors;

        public Inks(PictogramStyle style, Random random)
        {
            SKColor background = Palette.Color(style.Background);
            bool darkGround = (0.3 * background.Red) + (0.59 * background.Green) + (0.11 * background.Blue) < 90;
            SKColor pen = Palette.Near(darkGround ? "white" : "black", random);
            _colors = [Palette.Near(style.Color, random), Palette.Near(style.SecondColor, random), Palette.Near("white", random), Palette.Near("black", random), pen];
        }

        public SKColor Of(PartRole role) => _colors[(int)role];
    }

    private static SKMatrix Placement(PictogramStyle style)
    {
        float scale = (float)(style.Size * Side / Box);
        SKMatrix toMiddle = SKMatrix.CreateTranslation(-Box / 2, -Box / 2);
        SKMatrix shape = SKMatrix.CreateScale((float)(style.Mirrored ? -style.Stretch : style.Stretch), (float)(1 / style.Stretch))
            .PostConcat(SKMatrix.CreateSkew((float)style.Shear, 0))
            .PostConcat(SKMatrix.CreateRotationDegrees((float)style.Rotation));
        SKMatrix perspective = SKMatrix.Identity;
        (perspective.Persp0, perspective.Persp1) = ((float)(style.Perspective.X / Box), (float)(style.Perspective.Y / Box));
        SKMatrix place = SKMatrix.CreateScale(scale, scale).PostConcat(SKMatrix.CreateTranslation(
            (float)((0.5 + style.Offset.X) * Side), (float)((0.5 + style.Offset.Y) * Side)));
        return toMiddle.PostConcat(shape).PostConcat(perspective).PostConcat(place);
    }

    private void DrawBackdrop(PictogramStyle style, Random random)
    {
        SKColor color = Palette.Near(style.Background, random);
        _canvas.Clear(color);
        if (style.Backdrop == Backdrop.Gradient)
        {
            double angle = random.Between(0, 2 * Math.PI);
            SKPoint way = new((float)(Math.Cos(angle) * Side * 0.7), (float)(Math.Sin(angle) * Side * 0.7));
            SKPoint middle = new(Side / 2f, Side / 2f);
            SKColor end = Mix(color, Palette.Color(random.Choose(Palette.Names)), 0.5);
            using SKShader shader = SKShader.CreateLinearGradient(middle - way, middle + way, [color, end], SKShaderTileMode.Clamp);
            _paint.Style = SKPaintStyle.Fill;
            _paint.Color = SKColors.Black;
            _paint.Shader = shader;
            _canvas.DrawRect(0, 0, Side, Side, _paint);
            _paint.Shader = null;
        }
        else if (style.Backdrop == Backdrop.Clutter)
        {
            int pieces = random.Next(4, 12);
            for (int i = 0; i < pieces; i++)
            {
                DrawPiece(Mix(color, Palette.Color(random.Choose(Palette.Names)), random.Between(0.2, 0.6)), random);
            }
        }
    }

    private void DrawPiece(SKColor color, Random random)
    {
        float Along() => (float)(random.NextDouble() * Side);
        float size = (float)random.Between(3, 12);
        _paint.Color = color;
        _paint.Style = SKPaintStyle.Fill;
        switch (random.Next(3))
        {
            case 0:
                _canvas.DrawCircle(Along(), Along(), size / 2, _paint);
                break;
            case 1:
                _canvas.DrawRect(Along(), Along(), size, (float)random.Between(2, 10), _paint);
                break;
            default:
                _paint.Style = SKPaintStyle.Stroke;
                _paint.StrokeWidth = (float)random.Between(0.8, 2.5);
                _canvas.DrawLine(Along(), Along(), Along(), Along(), _paint);
                break;
        }
    }

    private void PaintParts(Drawing drawing, PictogramStyle style, Inks inks)
    {
        foreach (Part part in drawing.Parts)
        {
            SKPath path = OwnCopy(part.Geometry);
            bool outline = part.Role == PartRole.Outline;
            bool lines = style.Fill == FillMode.Lines;
            if (!outline && !lines)
            {
                Fill(path, inks.Of(part.Role));
            }

            if (outline || lines || style.Fill == FillMode.Contoured)
            {
                // In pictures of lines the body's colour is the pen's, so that the caption's colour is still seen.
                SKColor color = lines ? inks.Of(part.Role == PartRole.Accent ? PartRole.Accent : PartRole.Body) : inks.Of(PartRole.Outline);
                Stroke(path, color, (float)((outline ? part.Width : 3) * style.Thickness));
            }
        }
    }

    private void PaintTiles(Drawing drawing, float width, float height, PictogramStyle style, Inks inks)
    {
        // From the middle far enough to cover the picture at any rotation.
        float reach = (float)(Box * 0.75 / style.Size) + Math.Max(width, height);
        (int columns, int rows) = ((int)Math.Ceiling(reach / width), (int)Math.Ceiling(reach / height));
        for (int row = -rows; row <= rows; row++)
        {
            for (int column = -columns; column <= columns; column++)
            {
                using SKAutoCanvasRestore restore = new(_canvas);
                _canvas.Translate((Box / 2) + (column * width), (Box / 2) + (row * height));
                foreach (Part part in drawing.Parts)
                {
                    if (part.Role == PartRole.Outline)
                    {
                        Stroke(OwnCopy(part.Geometry), inks.Of(PartRole.Outline), (float)(part.Width * style.Thickness));
                    }
                    else
                    {
                        Fill(OwnCopy(part.Geometry), inks.Of(part.Role));
                    }
                }
            }
        }
    }

    private void DrawOcclusion(PictogramStyle style, Random random)
    {
        if (style.Occlusion <= 0)
        {
            return;
        }

        float side = (float)(style.Occlusion * Side);
        _paint.Style = SKPaintStyle.Fill;
        _paint.Color = Palette.Near(random.Choose(Palette.Names), random);
        float Place() => (float)(random.Between(0.1, 0.9) * Side) - (side / 2);
        if (random.Chance(0.5))
        {
            _canvas.DrawOval(Place() + (side / 2), Place() + (side / 2), side / 2, side / 2, _paint);
        }
        else
        {
            _canvas.DrawRect(Place(), Place(), side, side * (float)random.Between(0.5, 1.2), _paint);
        }
    }

    /// <summary>From the canvas to bytes: blur, contrast and noise, in the order of a camera.</summary>
    private RgbImage Develop(PictogramStyle style, Random random)
    {
        ReadOnlySpan<byte> rgba = _bitmap.GetPixelSpan();
        if (style.Blur <= 0 && style.Contrast == 1 && style.Noise <= 0)
        {
            byte[] sharp = new byte[Side * Side * 3];
            for (int i = 0; i < Side * Side; i++)
            {
                rgba.Slice(i * 4, 3).CopyTo(sharp.AsSpan(i * 3));
            }

            return new RgbImage(Side, Side, sharp);
        }

        float[] values = new float[Side * Side * 3];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = rgba[(i / 3 * 4) + (i % 3)];
        }

        return PixelEffects.Apply(values, Side, style.Blur, style.Contrast, style.Noise, random);
    }

    private void Fill(SKPath path, SKColor color)
    {
        _paint.Style = SKPaintStyle.Fill;
        _paint.Color = color;
        _canvas.DrawPath(path, _paint);
    }

    private void Stroke(SKPath path, SKColor color, float width)
    {
        _paint.Style = SKPaintStyle.Stroke;
        _paint.Color = color;
        _paint.StrokeWidth = width;
        _canvas.DrawPath(path, _paint);
    }

    // Skia fills in a path's bounds when they are first asked for, so paths are not shared between threads.
    private SKPath OwnCopy(SKPath path)
    {
        if (!_paths.TryGetValue(path, out SKPath? copy))
        {
            copy = new SKPath(path);
            _paths.Add(path, copy);
        }

        return copy;
    }

    private static SKColor Mix(SKColor a, SKColor b, double share)
    {
        byte Channel(byte x, byte y) => (byte)Math.Round(x + ((y - x) * share));
        return new SKColor(Channel(a.Red, b.Red), Channel(a.Green, b.Green), Channel(a.Blue, b.Blue));
    }
}
